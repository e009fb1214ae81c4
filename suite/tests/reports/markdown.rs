use mcp_conform::{
    cases,
    report::{Format, FormatName, markdown::Markdown},
    run::{Run, Verdict},
};

use super::{
    NEW, PLAIN,
    hostile::{HOSTILE, hostile, without_code},
    judgement, made_up, whole, written,
};

fn text(run: &Run) -> String {
    written(run, FormatName::Markdown, PLAIN)
}

fn within(run: &Run, room: usize) -> String {
    let mut out = Vec::new();
    Markdown { room }.write(run, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_summary_shows_what_is_broken_and_folds_the_rest() {
    insta::assert_snapshot!("markdown", text(&made_up()));
    insta::assert_snapshot!("markdown_whole", text(&whole()));
}

#[test]
fn text_of_the_server_stands_in_code_only() {
    let rest = without_code(&text(&hostile()));
    for part in [
        "owned",
        "@everyone",
        "<img",
        "](https://example.org)",
        "Bail",
        "ud800",
    ] {
        assert!(
            HOSTILE.contains(part) && !rest.contains(part),
            "{part}: {rest}"
        );
    }
    // Two folds for warnings and notes, one for what is unverified.
    assert_eq!(rest.matches("<details>").count(), 3);
    assert_eq!(rest.matches("</details>").count(), 3);
}

#[test]
fn a_summary_keeps_within_its_room() {
    let mut run = whole();
    for case in cases::all() {
        for (verdict, message) in [(Verdict::Fail, "broken"), (Verdict::Unverified, "unseen")] {
            run.judgements
                .push(judgement(case.clause.id, NEW, verdict, message));
        }
    }
    let full = text(&run);
    assert!(!full.contains("no room here"));
    for room in [300, 1_000, 5_000, 20_000, full.len() - 1] {
        let text = within(&run, room);
        assert!(text.len() <= room, "{} of {room}", text.len());
        assert!(text.contains("no room here"), "{text}");
        assert_eq!(
            text.matches("<details>").count(),
            text.matches("</details>").count()
        );
        without_code(&text);
    }
    assert_eq!(within(&run, full.len() + 200), full);
}
