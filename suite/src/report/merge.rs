//! Joins the reports of one run that was divided: by shards, by revisions, or by targets.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Standing,
    json::{Amounts, SCHEMA_VERSION, TOOL, Tool, write_document},
    read::{CaseResult, InRevision, Report},
};
use crate::{
    cases,
    run::{Counts, NOTHING_VERIFIED, Verdict},
    spec::{Revision, Transport},
    tape::escaped,
};

/// Reports that are not parts of one run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is nothing to join.
    #[error("there are no reports to merge")]
    Nothing,
    /// Two versions of the tool have written them.
    #[error("one report is of mcp-conform {0}, another of {1}: test with one version")]
    Tools(String, String),
    /// They are of the same target, but not of the same run.
    #[error("the reports of `{target}` over {transport} differ in {what}")]
    Different {
        /// The server as the user named it.
        target: String,
        /// The transport.
        transport: Transport,
        /// In what they differ.
        what: &'static str,
    },
    /// The same was judged twice.
    #[error("{part} of `{target}` over {transport} was judged twice")]
    Overlap {
        /// What was judged twice.
        part: String,
        /// The server as the user named it.
        target: String,
        /// The transport.
        transport: Transport,
    },
    /// A share of the cases was judged by nobody.
    #[error("shard {index}/{count} of `{target}` over {transport} in {revision} is missing")]
    Missing {
        /// Which share, from 1.
        index: u32,
        /// How many shares there are.
        count: u32,
        /// The server as the user named it.
        target: String,
        /// The transport.
        transport: Transport,
        /// The revision.
        revision: Revision,
    },
}

/// Joins the reports: those of one target over one transport become one report.
///
/// # Errors
/// They do not belong together, overlap, or leave a share out.
pub fn merge(reports: Vec<Report>) -> Result<Vec<Report>, MergeError> {
    let first = reports.first().ok_or(MergeError::Nothing)?;
    let version = &first.tool.version;
    if let Some(other) = reports
        .iter()
        .find(|report| report.tool.version != *version)
    {
        return Err(MergeError::Tools(
            escaped(version),
            escaped(&other.tool.version),
        ));
    }
    let mut groups: Vec<Vec<Report>> = Vec::new();
    for report in reports {
        let alike = |group: &&mut Vec<Report>| {
            group[0].target == report.target && group[0].transport == report.transport
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.push(report),
            None => groups.push(vec![report]),
        }
    }
    groups.into_iter().map(join).collect()
}

/// Writes what was joined: a report like that of a single run, or several side by side.
///
/// # Errors
/// What `out` fails with.
pub fn write(reports: &[Report], out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Joined<'a> {
        schema_version: u32,
        tool: Tool,
        runs: &'a [Report],
    }
    match reports {
        [report] => write_document(report, out),
        runs => write_document(
            &Joined {
                schema_version: SCHEMA_VERSION,
                tool: TOOL,
                runs,
            },
            out,
        ),
    }
}

/// Joins the reports of one target over one transport; there is at least one.
fn join(mut parts: Vec<Report>) -> Result<Report, MergeError> {
    let different = |what| MergeError::Different {
        target: escaped(&parts[0].target),
        transport: parts[0].transport,
        what,
    };
    for part in &parts[1..] {
        if part.options != parts[0].options {
            return Err(different("their options"));
        }
        if part.filtered != parts[0].filtered {
            return Err(different("whether cases were left out"));
        }
        if part.rest.get("baseline") != parts[0].rest.get("baseline") {
            return Err(different("their baseline"));
        }
        if part.server != parts[0].server {
            return Err(different("what the server says of itself"));
        }
    }
    // What comes of it must not hang on the order on the command line.
    parts.sort_by_key(|part| part.shard.map(|shard| shard.index()));
    let mut revisions: Vec<Revision> = parts
        .iter()
        .flat_map(|part| part.revisions.iter().map(|entry| entry.revision))
        .collect();
    revisions.sort_unstable_by(|a, b| b.cmp(a));
    revisions.dedup();

    let finished = parts.iter().all(|part| part.finished);
    let mut whole = parts[0].clone();
    whole.revisions.clear();
    whole.results.clear();
    for revision in revisions {
        let (entry, results) = in_revision(&parts, revision, finished)?;
        whole.revisions.push(entry);
        whole.results.extend(results);
    }
    for part in &parts[1..] {
        whole.duration_ms += part.duration_ms;
        whole.processes += part.processes;
        if part.started < whole.started {
            whole.started.clone_from(&part.started);
        }
        unite(&mut whole.rest, &part.rest);
    }
    whole.finished = finished;
    whole.shard = None;
    let counts: Counts = whole.results.iter().map(|result| result.verdict).collect();
    if counts.verified() > 0
        && let Some(Value::Array(flaws)) = whole.rest.get_mut("flaws")
    {
        // One part may have seen nothing where another has.
        flaws.retain(|flaw| flaw["id"] != NOTHING_VERIFIED);
    }
    Ok(whole)
}

/// Lists of a part that nothing here knows of stand in the whole too.
fn unite(whole: &mut Map<String, Value>, part: &Map<String, Value>) {
    for (name, value) in part {
        if let (Some(Value::Array(all)), Value::Array(more)) = (whole.get_mut(name), value) {
            for entry in more {
                if !all.contains(entry) {
                    all.push(entry.clone());
                }
            }
        }
    }
}

/// Joins what the parts say of one revision.
fn in_revision(
    parts: &[Report],
    revision: Revision,
    finished: bool,
) -> Result<(InRevision, Vec<CaseResult>), MergeError> {
    let entry = |part: &Report| -> Option<InRevision> {
        let entry = part
            .revisions
            .iter()
            .find(|entry| entry.revision == revision);
        entry.cloned()
    };
    let pieces: Vec<&Report> = parts.iter().filter(|part| entry(part).is_some()).collect();
    complete(&pieces, revision)?;
    let entries: Vec<InRevision> = pieces.iter().filter_map(|piece| entry(piece)).collect();
    let mut joined = entries[0].clone();
    if entries.iter().any(|entry| entry.spoken != joined.spoken) {
        return Err(MergeError::Different {
            target: escaped(&pieces[0].target),
            transport: pieces[0].transport,
            what: "which revisions the server speaks",
        });
    }
    let results = fold(&pieces, revision);
    let counts: Counts = results.iter().map(|result| result.verdict).collect();
    let conforms = Standing::new(joined.spoken, &counts, finished).conforms();
    for (name, value) in [
        ("conforms", json!(conforms)),
        ("counts", json!(Amounts::of(&counts))),
        ("applicable", json!(counts.applicable())),
        ("verified", json!(counts.verified())),
    ] {
        joined.rest.insert(name.to_owned(), value);
    }
    Ok((joined, results))
}

/// Holds that the pieces are one whole: a single report, or every shard once.
fn complete(pieces: &[&Report], revision: Revision) -> Result<(), MergeError> {
    let (target, transport) = (escaped(&pieces[0].target), pieces[0].transport);
    let overlap = |part: String| MergeError::Overlap {
        part,
        target: target.clone(),
        transport,
    };
    let Some(first) = pieces.iter().find_map(|piece| piece.shard) else {
        return match pieces {
            [_] => Ok(()),
            _ => Err(overlap(revision.to_string())),
        };
    };
    for piece in pieces {
        match piece.shard {
            None => return Err(overlap(revision.to_string())),
            Some(shard) if shard.count() != first.count() => {
                return Err(MergeError::Different {
                    target,
                    transport,
                    what: "the number of shards",
                });
            }
            Some(_) => {}
        }
    }
    for index in 1..=first.count() {
        let of_index = |piece: &&&Report| piece.shard.is_some_and(|shard| shard.index() == index);
        match pieces.iter().filter(of_index).count() {
            1 => {}
            0 => {
                return Err(MergeError::Missing {
                    index,
                    count: first.count(),
                    target,
                    transport,
                    revision,
                });
            }
            _ => {
                return Err(overlap(format!(
                    "shard {index}/{} in {revision}",
                    first.count()
                )));
            }
        }
    }
    Ok(())
}

/// The results of all pieces in the order of the catalogue. Every shard judges every rule, so
/// some cases have several: they are folded as a run folds what several sessions show.
fn fold(pieces: &[&Report], revision: Revision) -> Vec<CaseResult> {
    let mut folded: Vec<CaseResult> = Vec::new();
    let mut place: HashMap<&str, usize> = HashMap::new();
    for result in pieces.iter().flat_map(|piece| piece.of_revision(revision)) {
        match place.get(result.case.as_str()) {
            None => {
                place.insert(&result.case, folded.len());
                folded.push(result.clone());
            }
            Some(&at) => {
                let known = &mut folded[at];
                let mut remarks = std::mem::take(&mut known.remarks);
                for remark in &result.remarks {
                    if !remarks.contains(remark) {
                        remarks.push(remark.clone());
                    }
                }
                if weight(result.verdict) > weight(known.verdict) {
                    *known = result.clone();
                }
                known.remarks = remarks;
            }
        }
    }
    let mut order: HashMap<&str, usize> = HashMap::new();
    order.extend(
        cases::all()
            .enumerate()
            .map(|(at, case)| (case.clause.id, at)),
    );
    folded.sort_by_key(|result| {
        order
            .get(result.case.as_str())
            .copied()
            .unwrap_or(usize::MAX)
    });
    folded
}

/// Which of two verdicts on one case counts: a violation that any shard saw; and what one shard
/// could see is not undone by another that could not.
fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail | Verdict::Warn | Verdict::Note => 4,
        Verdict::Error => 3,
        Verdict::Pass => 2,
        Verdict::NotApplicable => 1,
        Verdict::Unverified => 0,
    }
}
