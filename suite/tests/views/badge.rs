use mcp_conform::{
    report::{
        badge::{Badge, BadgeError, Shade},
        read::{self, ReadError, Report},
    },
    run::{Run, Shard, Spoken, Verdict},
    spec::{Revision, Transport},
};
use serde_json::{Value, json};

use crate::sample::{HOSTILE, MIDDLE, NEW, hostile, json, judgement, small, stable};

const KEPT: &[(&str, Verdict)] = &[
    ("stdio/stdout-utf8", Verdict::Pass),
    ("stdio/crlf-input", Verdict::Warn),
    ("stdio/input-utf8", Verdict::Unverified),
    ("stdio/concurrent-requests", Verdict::NotApplicable),
];
const BROKEN: &[(&str, Verdict)] = &[
    ("stdio/stdout-utf8", Verdict::Fail),
    ("stdio/exit-on-sigterm", Verdict::Error),
    ("stdio/stdout-no-ansi", Verdict::Pass),
];

fn over(transport: Transport, mut run: Run) -> Run {
    run.transport = transport;
    for judgement in &mut run.judgements {
        judgement.transport = transport;
    }
    run
}

fn badge(runs: &[Run], revision: Option<Revision>) -> Badge {
    let reports: Vec<_> = runs.iter().map(|run| Report::of(run).unwrap()).collect();
    Badge::of(&reports, revision).unwrap()
}

fn svg(badge: &Badge) -> String {
    let mut out = Vec::new();
    badge.svg(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn green_is_for_whole_runs_in_which_nothing_fails() {
    let stdio = small(KEPT);
    let badge = badge(
        &[stdio.clone(), over(Transport::StreamableHttp, stdio)],
        None,
    );
    assert_eq!(badge.label, "MCP 2025-11-25");
    assert_eq!(badge.message, "stdio · http ✓ 4/6");
    assert_eq!(badge.shade, Shade::Good);
    insta::assert_snapshot!("badge_good", stable(&svg(&badge)));
}

#[test]
fn failures_and_errors_are_red_with_their_number() {
    let mut filtered = small(BROKEN);
    filtered.filtered = true;
    let runs = [small(BROKEN), over(Transport::HttpSse, filtered)];
    let badge = badge(&runs, None);
    assert_eq!(badge.message, "stdio · sse ✗ 4 failed · 4/6");
    assert_eq!(badge.shade, Shade::Bad);
    let mut out = Vec::new();
    badge.endpoint(&mut out).unwrap();
    insta::assert_snapshot!("badge_endpoint", String::from_utf8(out).unwrap());
}

#[test]
fn what_was_not_looked_at_as_a_whole_is_grey() {
    let whole = || small(KEPT);
    let with = |change: &dyn Fn(&mut Run)| {
        let mut run = whole();
        change(&mut run);
        run
    };
    for (run, message) in [
        (with(&|run| run.filtered = true), "stdio ? filtered · 2/3"),
        (with(&|run| run.processes = 0), "stdio ? recorded · 2/3"),
        (
            with(&|run| run.shard = Shard::new(2, 4)),
            "stdio ? shard 2/4 · 2/3",
        ),
        (
            with(&|run| run.finished = false),
            "stdio ? not finished · 2/3",
        ),
        (small(&[]), "stdio ? nothing verified · 0/0"),
        (
            small(&[("stdio/input-utf8", Verdict::Unverified)]),
            "stdio ? nothing verified · 0/1",
        ),
    ] {
        let badge = badge(&[run], None);
        assert_eq!(
            (badge.message.as_str(), badge.shade),
            (message, Shade::Untold)
        );
    }
    assert_eq!(Badge::unfinished().shade, Shade::Untold);
    // One transport in doubt leaves all in doubt.
    let mut filtered = whole();
    filtered.filtered = true;
    let runs = [whole(), over(Transport::StreamableHttp, filtered)];
    assert_eq!(badge(&runs, None).shade, Shade::Untold);
}

#[test]
fn a_revision_that_is_not_spoken_is_grey_and_another_one_is_chosen_first() {
    let mut run = small(KEPT);
    let spoken = badge(std::slice::from_ref(&run), Some(Revision::V2024_11_05));
    assert_eq!(spoken.message, "stdio ? not spoken · 0/0");
    assert_eq!(spoken.shade, Shade::Untold);

    run.revisions.insert(0, (NEW, Spoken::No("no".into())));
    run.revisions[1] = (MIDDLE, Spoken::Yes);
    run.judgements = vec![judgement("stdio/stdout-utf8", MIDDLE, Verdict::Pass)];
    let chosen = badge(std::slice::from_ref(&run), None);
    assert_eq!(chosen.label, "MCP 2025-06-18");
    assert_eq!(chosen.shade, Shade::Good);
    // Spoken on one transport only: that is no green for both.
    let http = over(Transport::StreamableHttp, small(KEPT));
    assert_eq!(badge(&[run, http], None).shade, Shade::Untold);
}

#[test]
fn what_a_baseline_lists_is_amber_and_says_so() {
    let mut report = json(&small(BROKEN));
    for result in report["results"].as_array_mut().unwrap() {
        result["known"] = json!({ "reason": "being mended" });
    }
    let read = |report: &Value| {
        let text = report.to_string();
        read::parse(text.as_bytes(), "x.json".as_ref()).unwrap()
    };
    let badge = Badge::of(&read(&report), None).unwrap();
    assert_eq!(badge.message, "stdio ! 2 known failures · 2/3");
    assert_eq!(badge.shade, Shade::Known);
    report["results"][0]["known"] = Value::Null;
    let badge = Badge::of(&read(&report), None).unwrap();
    assert_eq!(badge.message, "stdio ✗ 1 failed · 2/3");
    assert_eq!(badge.shade, Shade::Bad);
}

#[test]
fn reports_that_do_not_belong_together_make_no_badge() {
    let report = |run: &Run| Report::of(run).unwrap();
    let mut other = small(KEPT);
    other.server = Some(("other".into(), "1".into()));
    let twice = [report(&small(KEPT)), report(&small(KEPT))];
    assert_eq!(
        Badge::of(&twice, None),
        Err(BadgeError::Twice {
            revision: NEW,
            transport: Transport::Stdio
        })
    );
    let two = [report(&small(KEPT)), report(&other)];
    assert!(matches!(
        Badge::of(&two, None),
        Err(BadgeError::Servers(..))
    ));
    assert_eq!(Badge::of(&[], None), Err(BadgeError::Nothing));
}

#[test]
fn nothing_in_a_report_becomes_markup_in_a_badge() {
    let mut report = json(&hostile());
    report["tool"]["version"] = HOSTILE.into();
    report["started"] = "\"><script>".into();
    let reports = read::parse(report.to_string().as_bytes(), "x.json".as_ref()).unwrap();
    let svg = svg(&Badge::of(&reports, None).unwrap());
    assert!(!svg.contains("<script") && !svg.contains('\x1b'), "{svg}");
    assert_eq!(svg.matches("<title>").count(), 1);
}

#[test]
fn files_that_are_no_reports_are_told_apart() {
    let parse = |text: &str| read::parse(text.as_bytes(), "x.json".as_ref()).unwrap_err();
    assert!(matches!(parse(" \n"), ReadError::Empty(_)));
    assert!(matches!(parse("{"), ReadError::NotJson { .. }));
    assert!(matches!(parse("[1]"), ReadError::NotReport(_)));
    let mut report = json(&small(KEPT));
    report["tool"]["name"] = "other".into();
    assert!(matches!(
        parse(&report.to_string()),
        ReadError::NotReport(_)
    ));
    let mut report = json(&small(KEPT));
    report["schema_version"] = 2.into();
    let error = parse(&report.to_string()).to_string();
    assert!(
        error.starts_with("x.json has version 2 of the report format"),
        "{error}"
    );
    for (pointer, value) in [
        ("/results/0/verdict", json!("fine")),
        ("/revisions/0/revision", json!("2020-01-01")),
        ("/transport", json!("pigeon")),
        ("/shard", json!({ "index": 3, "count": 2 })),
        ("/results/0/case", Value::Null),
    ] {
        let mut report = json(&small(KEPT));
        *report.pointer_mut(pointer).unwrap() = value;
        let error = parse(&report.to_string());
        assert!(matches!(error, ReadError::Damaged { .. }), "{pointer}");
    }
}

#[test]
fn a_report_survives_being_read_and_written() {
    for run in [hostile(), small(KEPT)] {
        let report = Report::of(&run).unwrap();
        assert_eq!(serde_json::to_value(&report).unwrap(), json(&run));
    }
}
