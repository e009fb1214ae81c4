//! SARIF 2.1.0: what is broken as results that code scanning shows, tracks and closes.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Format, Standing, is_broken, json::write_document, plain};
use crate::{
    case::Case,
    cases,
    run::{Counts, Judgement, Run, Verdict},
    spec::{Level, Revision},
    tape::escaped,
};

/// The format for code scanning.
#[derive(Clone, Copy, Debug)]
pub struct Sarif;

impl Format for Sarif {
    fn write(&self, run: &Run, out: &mut dyn Write) -> io::Result<()> {
        let judged = judged(run);
        let rules: Vec<Value> = judged
            .iter()
            .map(|(case, revision)| rule(case, *revision))
            .collect();
        let results: Vec<Value> = run
            .judgements
            .iter()
            .filter(|judgement| is_broken(judgement.verdict) || judgement.verdict == Verdict::Error)
            .map(|judgement| {
                let rule = judged
                    .iter()
                    .position(|(case, _)| case.clause.id == judgement.case.clause.id);
                result(run, judgement, rule)
            })
            .collect();
        let document = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": {
                    "driver": {
                        "name": env!("CARGO_PKG_NAME"),
                        "version": env!("CARGO_PKG_VERSION"),
                        "semanticVersion": env!("CARGO_PKG_VERSION"),
                        "rules": rules,
                    },
                },
                // Runs over several transports stand side by side in code scanning.
                "automationDetails": { "id": format!("mcp-conform/{}/", run.transport) },
                "invocations": [invocation(run)],
                "results": results,
                "properties": properties(run),
            }],
        });
        write_document(&document, out)
    }
}

/// The cases that were judged, in the order of the registry, each with the newest revision.
fn judged(run: &Run) -> Vec<(&'static Case, Revision)> {
    cases::all()
        .filter_map(|case| {
            run.judgements
                .iter()
                .filter(|judgement| judgement.case.clause.id == case.clause.id)
                .map(|judgement| (case, judgement.revision))
                .max_by_key(|(_, revision)| *revision)
        })
        .collect()
}

fn rule(case: &Case, revision: Revision) -> Value {
    let (clause, advice) = (&case.clause, &case.advice);
    let link = clause.link(revision).replace(' ', "%20");
    let level = match clause.level_in(revision) {
        Level::Must | Level::MustNot => "error",
        Level::Should | Level::ShouldNot => "warning",
        Level::May => "note",
    };
    json!({
        "id": clause.id,
        "shortDescription": { "text": clause.title },
        "fullDescription": { "text": clause.statement },
        "helpUri": link,
        "help": {
            "text": format!(
                "Why it matters: {}\n\nHow it is probed: {}\n\nTo mend: {}\n\n{} in {revision}: {link}",
                advice.why, advice.how, advice.mend, clause.binding()
            ),
            "markdown": format!(
                "**Why it matters.** {}\n\n**How it is probed.** {}\n\n**To mend.** {}\n\n\
                 [{} in {revision}]({link})",
                advice.why, advice.how, advice.mend, clause.binding()
            ),
        },
        "defaultConfiguration": { "level": level },
        "properties": { "tags": ["mcp", clause.area()] },
    })
}

fn result(run: &Run, judgement: &Judgement, rule: Option<usize>) -> Value {
    let level = match judgement.verdict {
        Verdict::Warn => "warning",
        Verdict::Note => "note",
        _ => "error",
    };
    let (id, revision, transport) = (
        judgement.case.clause.id,
        judgement.revision,
        judgement.transport,
    );
    let name = format!("{transport}/{revision}/{id}");
    let evidence = plain::evidence(judgement);
    let mut result = json!({
        "ruleId": id,
        "ruleIndex": rule,
        "level": level,
        "message": {
            "text": without_links(&format!(
                "{} (in {revision} over {transport})",
                plain::message(judgement)
            )),
        },
        "locations": [{
            "physicalLocation": {
                // Code scanning shows no result without a file.
                "artifactLocation": { "uri": run.file.as_deref().map_or("mcp-conform".into(), uri) },
                "region": { "startLine": 1 },
            },
            "logicalLocations": [{ "name": id, "fullyQualifiedName": &name, "kind": "clause" }],
        }],
        "partialFingerprints": {
            // The one that GitHub reads; without it, revisions would be taken for one another.
            "primaryLocationLineHash": format!("{:016x}:1", hash(&name)),
            "clause/v1": name,
        },
        "properties": {
            "verdict": judgement.verdict.as_str(),
            "revision": revision.as_str(),
            "transport": transport.as_str(),
            "evidence": evidence.lines().collect::<Vec<_>>(),
            "reproduce": run.reproduce(judgement),
        },
    });
    // Either all results say whether they are suppressed, or none.
    if run.baseline.is_some() {
        let known = run.known(judgement).map(|known| {
            json!({
                "kind": "external",
                "status": "accepted",
                "justification": escaped(known.explained()),
            })
        });
        result["suppressions"] = known.into_iter().collect();
    }
    result
}

fn invocation(run: &Run) -> Value {
    let notifications: Vec<Value> = run
        .flaws()
        .iter()
        .map(|flaw| {
            let mut notification = json!({
                "level": "error",
                "message": { "text": without_links(&escaped(&flaw.message)) },
                "descriptor": { "id": flaw.id },
            });
            if let Some((file, line)) = &flaw.place {
                let location = json!({
                    "physicalLocation": {
                        "artifactLocation": { "uri": uri(&file.replace('\\', "/")) },
                        "region": { "startLine": line },
                    },
                });
                notification["locations"] = json!([location]);
            }
            notification
        })
        .collect();
    json!({
        "executionSuccessful": run.finished,
        "startTimeUtc": run.started,
        "toolExecutionNotifications": notifications,
    })
}

/// How the server stands, for readers that look beyond results.
fn properties(run: &Run) -> Value {
    let revisions: Vec<Value> = run
        .revisions
        .iter()
        .map(|(revision, _)| {
            let counts = Counts::of(run.of_revision(*revision));
            json!({
                "revision": revision.as_str(),
                "conforms": Standing::of(run, *revision).conforms(),
                "verified": counts.verified(),
                "applicable": counts.applicable(),
            })
        })
        .collect();
    json!({
        "target": run.target,
        "transport": run.transport.as_str(),
        "revisions": revisions,
    })
}

/// `[text](target)` in a message is a link, and no server puts links into somebody's alerts.
fn without_links(text: &str) -> String {
    text.replace("](", "] (")
}

/// A path as a relative URI.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

/// FNV-1a: a fingerprint has to be the same in every version of the tool.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::{hash, uri};

    #[test]
    fn fingerprints_and_addresses_are_the_known_ones() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(uri("build/my server#1.js"), "build/my%20server%231.js");
        assert_eq!(uri("a:b/é"), "a%3Ab/%C3%A9");
    }
}
