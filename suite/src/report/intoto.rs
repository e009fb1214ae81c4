//! What a signer can vouch for: the verdicts as an in-toto statement with the predicate
//! `test-result`, unsigned.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use ring::digest::{Context, SHA256};
use serde_json::{Value, json};

use super::{Format, Standing, json::write_document};
use crate::run::{Counts, Judgement, Run, Verdict};

/// The format for attestations.
#[derive(Clone, Copy, Debug)]
pub struct InToto;

impl Format for InToto {
    fn write(&self, run: &Run, out: &mut dyn Write) -> io::Result<()> {
        write_document(&statement(run), out)
    }
}

fn statement(run: &Run) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject(run)],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": result(run),
            "configuration": [configuration(run)],
            // A note is an observation on what is permitted: nothing was broken.
            "passedTests": tests(run, &[Verdict::Pass, Verdict::Note]),
            "warnedTests": tests(run, &[Verdict::Warn]),
            "failedTests": tests(run, &[Verdict::Fail, Verdict::Error]),
        },
    })
}

/// What was tested: the server's file by its digest. A statement needs a digest; where the
/// command names no file, or the server has only an address, it is that of its name.
fn subject(run: &Run) -> Value {
    let file = run.artifact.as_deref();
    let digest = file.and_then(|path| sha256(path).ok());
    match (file, digest) {
        (Some(path), Some(digest)) => json!({
            "name": path.to_string_lossy(),
            "digest": { "sha256": digest },
        }),
        _ => json!({
            "name": run.target,
            "digest": { "sha256": hex(&ring::digest::digest(&SHA256, run.target.as_bytes())) },
            "annotations": { "digest_of": "the name" },
        }),
    }
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&context.finish())),
            read => context.update(&buffer[..read]),
        }
    }
}

fn hex(digest: &ring::digest::Digest) -> String {
    let bytes = digest.as_ref().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// A run that was not whole cannot have passed, whatever came of the part.
fn result(run: &Run) -> &'static str {
    let standings = || run.judged().map(|revision| Standing::of(run, revision));
    let kept = standings().all(|standing| standing == Standing::Conforms);
    let whole = !run.filtered && run.shard.is_none() && !run.is_recorded();
    let warned = Counts::of(&run.judgements).get(Verdict::Warn) > 0;
    if !kept || standings().next().is_none() {
        "FAILED"
    } else if warned || !whole {
        "WARNED"
    } else {
        "PASSED"
    }
}

/// The tool, and what it was told.
fn configuration(run: &Run) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let revisions: Vec<Value> = run
        .judged()
        .map(|revision| {
            let counts = Counts::of(run.of_revision(revision));
            json!({
                "revision": revision.as_str(),
                "conforms": Standing::of(run, revision).conforms(),
                "verified": counts.verified(),
                "applicable": counts.applicable(),
            })
        })
        .collect();
    json!({
        "name": "mcp-conform",
        "uri": format!("pkg:cargo/mcp-conform@{version}"),
        "annotations": {
            "version": version,
            "target": run.target,
            "transport": run.transport.as_str(),
            "options": run.options,
            "filtered": run.filtered,
            "shard": run.shard.map(|shard| shard.to_string()),
            "finished": run.finished,
            "started": run.started,
            "duration_ms": run.duration.as_millis().min(u64::MAX.into()) as u64,
            "revisions": revisions,
            // The predicate has no list for them, and without one a gap would look like a pass.
            "unverified": tests(run, &[Verdict::Unverified]),
        },
    })
}

/// The cases with one of these verdicts, each with its revision and transport.
fn tests(run: &Run, verdicts: &[Verdict]) -> Vec<String> {
    let listed = |judgement: &&Judgement| verdicts.contains(&judgement.verdict);
    run.judgements
        .iter()
        .filter(listed)
        .map(|judgement| {
            format!(
                "{}/{}/{}",
                judgement.revision, judgement.transport, judgement.case.clause.id
            )
        })
        .collect()
}
