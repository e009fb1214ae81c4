use mcp_conform::{
    report::{
        Format, Look, Verbosity,
        human::Human,
        merge::{self, MergeError, merge},
        read::{self, Report},
    },
    run::{Baseline, FailOn, Run, Shard, Spoken, Verdict},
    spec::Transport,
};
use serde_json::Value;

use crate::sample::{MIDDLE, NEW, hostile, json, judgement, keeps_schema, small, stable};

fn report(run: &Run) -> Report {
    Report::of(run).unwrap()
}

fn shard(index: u32, verdicts: &[(&str, Verdict)]) -> Run {
    let mut run = small(verdicts);
    run.shard = Shard::new(index, 2);
    run
}

/// Two shards of a run; the rule about stdout was judged in both.
fn shards() -> [Run; 2] {
    let mut first = shard(
        1,
        &[
            ("stdio/stdout-only-messages", Verdict::Unverified),
            ("stdio/stdout-utf8", Verdict::Pass),
            ("stdio/exit-on-sigterm", Verdict::Pass),
        ],
    );
    first.judgements[1].remarks = vec!["said once".into(), "said by the first".into()];
    let mut second = shard(
        2,
        &[
            ("stdio/stdout-only-messages", Verdict::Pass),
            ("stdio/stdout-utf8", Verdict::Fail),
            ("stdio/crlf-input", Verdict::Warn),
        ],
    );
    second.judgements[1].remarks = vec!["said once".into()];
    second.started = "2026-03-01T11:00:00Z".into();
    [first, second]
}

fn written(reports: &[Report]) -> Value {
    let mut out = Vec::new();
    merge::write(reports, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn people_are_told_that_a_shard_is_a_share() {
    let look = Look {
        color: false,
        verbosity: Verbosity::Normal,
        width: 100,
    };
    let mut out = Vec::new();
    Human { look }.write(&shards()[0], &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains("shard       1/2: a share of the cases\n"),
        "{text}"
    );
    assert!(text.contains("clauses verified (of shard 1/2)"), "{text}");
}

#[test]
fn shards_become_the_report_of_one_run() {
    let [first, second] = shards().map(|run| report(&run));
    let whole = written(&merge(vec![first.clone(), second.clone()]).unwrap());
    keeps_schema(schemas::REPORT, &whole);
    let text = serde_json::to_string_pretty(&whole).unwrap();
    insta::assert_snapshot!("merged", stable(&text));
    // The order on the command line changes nothing.
    assert_eq!(written(&merge(vec![second, first]).unwrap()), whole);
}

#[test]
fn targets_stand_side_by_side_and_are_read_back() {
    let mut http = small(&[("stdio/stdout-utf8", Verdict::Pass)]);
    http.transport = Transport::StreamableHttp;
    http.judgements[0].transport = Transport::StreamableHttp;
    http.target = "http://127.0.0.1:3000/mcp".into();
    let [first, second] = shards().map(|run| report(&run));
    let joined = merge(vec![first, report(&http), second]).unwrap();
    let document = written(&joined);
    keeps_schema(schemas::JOINED, &document);
    for run in document["runs"].as_array().unwrap() {
        keeps_schema(schemas::REPORT, run);
    }
    let text = document.to_string();
    let again = read::parse(text.as_bytes(), "x.json".as_ref()).unwrap();
    assert_eq!(written(&again), document);
    // What was merged can be merged again, with nothing to be done.
    assert_eq!(written(&merge(again).unwrap()), document);
}

#[test]
fn revisions_that_were_tested_apart_become_one_report() {
    let mut older = small(&[]);
    older.revisions = vec![(MIDDLE, Spoken::Yes)];
    older.judgements = vec![judgement("stdio/stdout-utf8", MIDDLE, Verdict::Pass)];
    let newer = small(&[("stdio/stdout-utf8", Verdict::Pass)]);
    let whole = merge(vec![report(&older), report(&newer)]).unwrap();
    let revisions: Vec<_> = whole[0].revisions.iter().map(|r| r.revision).collect();
    assert_eq!(revisions, [NEW, MIDDLE]);
    assert_eq!(whole[0].results.len(), 2);
    assert_eq!(whole[0].processes, 6);
}

#[test]
fn one_report_alone_stays_what_it_is() {
    let whole = merge(vec![report(&hostile())]).unwrap();
    let mut expected = json(&hostile());
    // The made-up run is not in the order of the catalogue.
    let results = expected["results"].as_array_mut().unwrap();
    let order = |result: &Value| {
        let id = result["case"].as_str().unwrap();
        let place = mcp_conform::cases::all().position(|case| case.clause.id == id);
        (std::cmp::Reverse(result["revision"].to_string()), place)
    };
    results.sort_by_key(order);
    assert_eq!(written(&whole), expected);
}

#[test]
fn parts_of_different_runs_are_refused() {
    let [first, second] = shards();
    let refused = |runs: &[&Run]| merge(runs.iter().map(|run| report(run)).collect()).unwrap_err();
    let missing = refused(&[&first]);
    assert!(matches!(
        missing,
        MergeError::Missing {
            index: 2,
            count: 2,
            ..
        }
    ));
    let overlap = refused(&[&first, &second, &first]);
    assert!(matches!(overlap, MergeError::Overlap { .. }), "{overlap}");
    let whole = Run {
        shard: None,
        ..first.clone()
    };
    for runs in [[&whole, &whole], [&whole, &first]] {
        assert!(matches!(refused(&runs), MergeError::Overlap { .. }));
    }
    let other = |change: &dyn Fn(&mut Run)| {
        let mut run = second.clone();
        change(&mut run);
        refused(&[&first, &run]).to_string()
    };
    for (message, words) in [
        (
            other(&|run| run.options.push("--timeout".into())),
            "their options",
        ),
        (
            other(&|run| run.filtered = true),
            "whether cases were left out",
        ),
        (
            other(&|run| run.server = None),
            "what the server says of itself",
        ),
        (
            other(&|run| run.shard = Shard::new(2, 3)),
            "the number of shards",
        ),
        (
            other(&|run| run.revisions[0].1 = Spoken::No("no".into())),
            "which revisions the server speaks",
        ),
        // Another target is another group, which lacks the first shard.
        (other(&|run| run.target = "other".into()), "is missing"),
    ] {
        assert!(message.contains(words), "{message}");
    }
    let mut older = report(&second);
    older.tool.version = "0.0.1".into();
    let tools = merge(vec![report(&first), older]).unwrap_err();
    assert!(matches!(tools, MergeError::Tools(..)));
    assert_eq!(merge(Vec::new()).unwrap_err(), MergeError::Nothing);
}

#[test]
fn a_part_that_was_cut_short_leaves_the_whole_unfinished() {
    let [mut first, mut second] = shards();
    second
        .judgements
        .retain(|judgement| judgement.verdict == Verdict::Pass);
    first.finished = false;
    let whole = merge(vec![report(&first), report(&second)]).unwrap();
    assert!(!whole[0].finished);
    assert_eq!(written(&whole)["revisions"][0]["conforms"], Value::Null);
}

#[test]
fn lists_that_only_a_later_version_knows_are_united() {
    let [first, second] = shards().map(|run| {
        let mut document = json(&run);
        let index = document["shard"]["index"].clone();
        document["later"] = serde_json::json!(["in both", index]);
        let text = document.to_string();
        read::parse(text.as_bytes(), "x.json".as_ref()).unwrap()
    });
    let whole = written(&merge([first, second].concat()).unwrap());
    assert_eq!(whole["later"], serde_json::json!(["in both", 1, 2]));
}

#[test]
fn a_baseline_is_held_against_the_whole_and_not_against_a_share() {
    let entry = "[[known]]\ncase = \"stdio/stdout-utf8\"\nreason = \"why\"\n";
    let baseline = Baseline::read("conform.toml", entry).unwrap();
    let [mut first, mut second] = shards();
    first.baseline = Some(baseline.clone());
    // The rule passes in the first share, and fails in the second.
    assert_eq!(first.flaws(), []);
    assert_eq!(baseline.updated(&first, FailOn::Must).removed, 0);
    let error = merge(vec![report(&first), report(&second)]).unwrap_err();
    assert!(error.to_string().ends_with("differ in their baseline"));
    second.baseline = Some(baseline.clone());
    assert!(!second.fails(FailOn::Must));
    let whole = merge(vec![report(&first), report(&second)]).unwrap();
    let known: Vec<_> = whole[0].results.iter().filter(|r| r.is_known()).collect();
    assert_eq!(known.len(), 1);
    // The same in a run that is whole.
    first.shard = None;
    assert_eq!(first.flaws()[0].id, "baseline/still-fails");
    assert_eq!(baseline.updated(&first, FailOn::Must).removed, 1);
}

#[test]
fn what_one_share_has_not_seen_another_may_have() {
    let [mut first, second] = shards();
    for judgement in &mut first.judgements {
        judgement.verdict = Verdict::Unverified;
    }
    assert_eq!(json(&first)["flaws"][0]["id"], "run/something-verified");
    let whole = written(&merge(vec![report(&first), report(&second)]).unwrap());
    assert_eq!(whole["flaws"], Value::Array(Vec::new()));
    // A share to which no case fell had nothing to see.
    first.judgements.clear();
    assert_eq!(first.flaws(), []);
}
