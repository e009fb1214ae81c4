use mcp_conform::{
    report::FormatName,
    run::{Run, Verdict},
};

use super::{PLAIN, hostile::hostile, made_up, whole, written};

fn text(run: &Run) -> String {
    written(run, FormatName::Tap, PLAIN)
}

/// The test points, without what is indented below them.
fn points(text: &str) -> Vec<&str> {
    let is_point = |line: &&str| line.starts_with("ok ") || line.starts_with("not ok ");
    text.lines().filter(is_point).collect()
}

#[test]
fn readers_of_tap_read_every_verdict() {
    insta::assert_snapshot!("tap", text(&made_up()));
}

#[test]
fn there_is_a_point_for_each_verdict_and_as_many_as_planned() {
    let run = made_up();
    let text = text(&run);
    assert_eq!(text.lines().nth(1), Some("1..16"));
    let points = points(&text);
    assert_eq!(points.len(), 16);
    for (number, (point, judgement)) in points.iter().zip(&run.judgements).enumerate() {
        let ok = !matches!(judgement.verdict, Verdict::Fail | Verdict::Error);
        let expected = format!(
            "{} {} - {} in {} over stdio",
            if ok { "ok" } else { "not ok" },
            number + 1,
            judgement.case.clause.id,
            judgement.revision
        );
        assert!(point.starts_with(&expected), "{point}");
        let skipped = matches!(
            judgement.verdict,
            Verdict::Unverified | Verdict::NotApplicable
        );
        assert_eq!(point.contains(" # SKIP "), skipped, "{point}");
    }
}

#[test]
fn a_run_without_a_verdict_is_no_empty_plan() {
    let blind = Run {
        judgements: Vec::new(),
        ..whole()
    };
    let text = text(&blind);
    assert_eq!(text.lines().nth(1), Some("1..1"));
    assert_eq!(points(&text), ["not ok 1 - run/something-verified"]);
}

#[test]
fn text_of_the_server_begins_no_line_and_no_directive() {
    let text = text(&hostile());
    assert_eq!(points(&text).len(), 7);
    for line in text.lines() {
        let known = ["TAP version 14", "1..7", "ok ", "not ok ", "  ", "# "];
        assert!(known.iter().any(|start| line.starts_with(start)), "{line}");
        let marks = line
            .match_indices('#')
            .filter(|(at, _)| !line[..*at].ends_with('\\'));
        if line.starts_with("ok ") || line.starts_with("not ok ") {
            assert!(marks.count() <= 1, "{line}");
        }
    }
}
