use mcp_conform::{
    report::FormatName,
    run::{Run, Verdict},
    tape::escaped,
};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus};

use super::{
    PLAIN,
    hostile::{HOSTILE, assert_plain, hostile},
    made_up, stable, whole, written,
};

fn text(run: &Run) -> String {
    written(run, FormatName::Junit, PLAIN)
}

fn parsed(run: &Run) -> Report {
    Report::deserialize_from_str(&text(run)).unwrap()
}

fn kind(case: &TestCase) -> &'static str {
    match &case.status {
        TestCaseStatus::Success { .. } => "passed",
        TestCaseStatus::Skipped { .. } => "skipped",
        TestCaseStatus::NonSuccess { kind, .. } => match kind {
            NonSuccessKind::Failure => "failure",
            NonSuccessKind::Error => "error",
        },
    }
}

#[test]
fn test_reports_of_ci_show_every_verdict() {
    insta::assert_snapshot!("junit", stable(&text(&made_up())));
}

#[test]
fn each_verdict_has_its_kind_of_test_case() {
    let run = made_up();
    let report = parsed(&run);
    assert_eq!(
        (report.tests, report.failures, report.errors),
        (16, 4, 1),
        "two revisions together"
    );
    let cases = report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases);
    for (case, judgement) in cases.zip(&run.judgements) {
        let expected = match judgement.verdict {
            Verdict::Fail => "failure",
            Verdict::Error => "error",
            Verdict::Unverified | Verdict::NotApplicable => "skipped",
            Verdict::Warn | Verdict::Note | Verdict::Pass => "passed",
        };
        assert_eq!(kind(case), expected, "{:?}", case.name);
        assert_eq!(case.name.as_str(), judgement.case.clause.id);
        // What passes with a warning says so in its output.
        let warns = matches!(judgement.verdict, Verdict::Warn | Verdict::Note);
        let said = case.system_out.is_some();
        assert_eq!(
            said,
            warns || !judgement.remarks.is_empty(),
            "{:?}",
            case.name
        );
    }
}

#[test]
fn no_two_test_cases_share_class_and_name() {
    let report = parsed(&made_up());
    let mut names: Vec<_> = report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
        .map(|case| (case.classname.clone(), case.name.clone()))
        .collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn a_run_that_shows_nothing_fails_in_ci_too() {
    let blind = Run {
        judgements: Vec::new(),
        finished: false,
        ..whole()
    };
    let report = parsed(&blind);
    assert_eq!((report.tests, report.failures), (2, 2));
    let last = report.test_suites.last().unwrap();
    assert_eq!(last.name.as_str(), "the run");
    assert!(last.test_cases.iter().all(|case| kind(case) == "failure"));
    assert_eq!(parsed(&whole()).failures, 0);
}

#[test]
fn text_of_the_server_stays_text() {
    assert_plain(&text(&hostile()));
    let report = parsed(&hostile());
    let [suite] = report.test_suites.as_slice() else {
        panic!(
            "one suite for one revision, not {}",
            report.test_suites.len()
        );
    };
    assert_eq!(suite.test_cases.len(), 7);
    let TestCaseStatus::NonSuccess {
        message: Some(message),
        description: Some(description),
        ..
    } = &suite.test_cases[0].status
    else {
        panic!("the first case fails");
    };
    let shown = escaped(HOSTILE).replace("[[ATTACHMENT|", r"[[ATTACHMENT\x7c");
    assert_eq!(message.as_str(), shown);
    assert!(
        description.contains("← ]]></failure></script>"),
        "{description:?}"
    );
    assert!(!text(&hostile()).contains("[[ATTACHMENT|"));
}
