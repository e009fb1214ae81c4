use std::io::{self, Write};

use serde::Serialize;

use super::{Change, Diff, Kind, Spoken};
use crate::{
    report::{
        json::{SCHEMA_VERSION, TOOL, Tool, write_document},
        read::{self, Report},
    },
    run::Verdict,
};

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    tool: Tool,
    old: Vec<Side<'a>>,
    new: Vec<Side<'a>>,
    revisions: Vec<InRevision>,
    changes: Changes<'a>,
    unchanged: usize,
    not_compared: usize,
}

#[derive(Serialize)]
struct Changes<'a> {
    worse: Vec<Entry<'a>>,
    better: Vec<Entry<'a>>,
    new: Vec<Entry<'a>>,
    gone: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Side<'a> {
    target: &'a str,
    transport: &'static str,
    started: &'a str,
    tool: &'a read::Tool,
}

#[derive(Serialize)]
struct InRevision {
    revision: &'static str,
    transport: &'static str,
    spoken: bool,
}

#[derive(Serialize)]
struct Entry<'a> {
    case: &'a str,
    title: &'a str,
    level: &'a str,
    revision: &'static str,
    transport: &'static str,
    old: Option<&'static str>,
    new: Option<&'static str>,
    message: Option<&'a str>,
    link: &'a str,
}

/// Writes the comparison for programs; `schemas/diff.json` describes it.
///
/// # Errors
/// What `out` fails with.
pub fn json(diff: &Diff<'_>, out: &mut dyn Write) -> io::Result<()> {
    let of = |kind| -> Vec<Entry<'_>> {
        let changes = diff.changes.iter();
        let changes = changes.filter(|change| change.kind == kind);
        changes.map(Entry::of).collect()
    };
    let document = Document {
        schema_version: SCHEMA_VERSION,
        tool: TOOL,
        old: diff.old.iter().map(Side::of).collect(),
        new: diff.new.iter().map(Side::of).collect(),
        revisions: diff.spoken.iter().copied().map(InRevision::of).collect(),
        changes: Changes {
            worse: of(Kind::Worse),
            better: of(Kind::Better),
            new: of(Kind::New),
            gone: of(Kind::Gone),
        },
        unchanged: diff.unchanged.total(),
        not_compared: diff.not_compared,
    };
    write_document(&document, out)
}

impl<'a> Side<'a> {
    fn of(report: &'a Report) -> Side<'a> {
        Side {
            target: &report.target,
            transport: report.transport.as_str(),
            started: &report.started,
            tool: &report.tool,
        }
    }
}

impl InRevision {
    fn of(spoken: Spoken) -> InRevision {
        InRevision {
            revision: spoken.revision.as_str(),
            transport: spoken.transport.as_str(),
            spoken: spoken.kind() != Kind::Worse,
        }
    }
}

impl<'a> Entry<'a> {
    fn of(change: &Change<'a>) -> Entry<'a> {
        let result = change.result;
        Entry {
            case: &result.case,
            title: &result.title,
            level: &result.level,
            revision: result.revision.as_str(),
            transport: result.transport.as_str(),
            old: change.old.map(Verdict::as_str),
            new: change.new.map(Verdict::as_str),
            message: result.message.as_deref(),
            link: &result.link,
        }
    }
}
