use std::collections::HashSet;

use mcp_conform::{
    report::FormatName,
    run::{Run, Verdict},
    tape::escaped,
};
use serde_json::Value;

use super::{
    PLAIN,
    hostile::{HOSTILE, hostile},
    made_up, stable, whole, written,
};

fn text(run: &Run) -> String {
    written(run, FormatName::Sarif, PLAIN)
}

/// The one run of the document.
fn only_run(run: &Run) -> Value {
    let document: Value = serde_json::from_str(&text(run)).unwrap();
    assert_eq!(document["runs"].as_array().unwrap().len(), 1);
    document["runs"][0].clone()
}

#[test]
fn code_scanning_shows_what_is_broken() {
    let text = stable(&text(&made_up())).replace(
        concat!("\"semanticVersion\": \"", env!("CARGO_PKG_VERSION"), "\""),
        "\"semanticVersion\": \"VERSION\"",
    );
    insta::assert_snapshot!("sarif", text);
}

#[test]
fn each_result_has_its_rule_its_level_and_a_fingerprint_of_its_own() {
    let run = made_up();
    let broken: Vec<_> = run
        .judgements
        .iter()
        .filter_map(|judgement| match judgement.verdict {
            Verdict::Fail | Verdict::Error => Some((judgement, "error")),
            Verdict::Warn => Some((judgement, "warning")),
            Verdict::Note => Some((judgement, "note")),
            _ => None,
        })
        .collect();
    let document = only_run(&run);
    let rules = &document["tool"]["driver"]["rules"];
    let results = document["results"].as_array().unwrap();
    assert_eq!(results.len(), broken.len());
    let mut fingerprints = HashSet::new();
    for (result, (judgement, level)) in results.iter().zip(broken) {
        let id = judgement.case.clause.id;
        assert_eq!(result["level"], level, "{id}");
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!((&rule["id"], &result["ruleId"]), (&id.into(), &id.into()));
        assert_eq!(
            rule["fullDescription"]["text"],
            judgement.case.clause.statement
        );
        let fingerprint = &result["partialFingerprints"]["primaryLocationLineHash"];
        assert!(fingerprints.insert(fingerprint.as_str().unwrap()), "{id}");
        let file = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(file, "my%20server.js");
    }
}

#[test]
fn a_run_that_shows_nothing_says_so() {
    let blind = Run {
        judgements: Vec::new(),
        finished: false,
        ..whole()
    };
    let invocation = &only_run(&blind)["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(
        invocation["toolExecutionNotifications"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        only_run(&whole())["invocations"][0]["executionSuccessful"],
        true
    );
}

#[test]
fn text_of_the_server_is_shown_escaped_and_makes_no_link() {
    let document = only_run(&hostile());
    let result = &document["results"][0];
    let message = result["message"]["text"].as_str().unwrap();
    let shown = escaped(HOSTILE).replace("](", "] (");
    assert_eq!(message, format!("{shown} (in 2025-11-25 over stdio)"));
    let file = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(file, "mcp-conform", "there is no file to name");
}
