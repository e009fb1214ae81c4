//! What programs read. `schemas/report.json` describes it; keys are stable.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

use serde::Serialize;

use super::{Format, Standing, excerpt::clamped, in_time, is_broken, needs_evidence};
use crate::{
    run::{Counts, Flaw, Judgement, Run, Spoken, Verdict},
    tape::{Excerpt, escaped},
};

/// The version of the format: it changes when a key changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// The format for programs.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Format for Json {
    fn write(&self, run: &Run, out: &mut dyn Write) -> io::Result<()> {
        write_document(&Report::of(run), out)
    }
}

/// The report as a document.
///
/// # Errors
/// Never: nothing in it has a key that is no string.
pub(super) fn document(run: &Run) -> serde_json::Result<serde_json::Value> {
    serde_json::to_value(Report::of(run))
}

/// Writes a document in which everything that could move a cursor is escaped in JSON's own way,
/// so that it can be looked at on a terminal and still loses nothing.
pub(super) fn write_document(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string_pretty(document)?;
    let mut safe = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        // Letters beyond ASCII, and DEL, stand in strings only.
        let foreign = !letter.is_ascii() || letter == '\x7f';
        if foreign && !escaped(letter.encode_utf8(&mut [0; 4])).starts_with(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                write!(safe, "\\u{unit:04x}").ok();
            }
        } else {
            safe.push(letter);
        }
    }
    safe.push('\n');
    out.write_all(safe.as_bytes())
}

#[derive(Serialize)]
pub(super) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// This tool.
pub(super) const TOOL: Tool = Tool {
    name: env!("CARGO_PKG_NAME"),
    version: env!("CARGO_PKG_VERSION"),
};

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    tool: Tool,
    target: &'a str,
    transport: &'static str,
    server: Option<Server<'a>>,
    started: &'a str,
    duration_ms: u64,
    processes: u32,
    options: &'a [String],
    filtered: bool,
    shard: Option<Share>,
    finished: bool,
    remarks: &'a [String],
    revisions: Vec<InRevision<'a>>,
    results: Vec<CaseResult<'a>>,
    baseline: Option<&'a str>,
    flaws: Vec<Shortcoming>,
}

#[derive(Serialize)]
struct Shortcoming {
    id: &'static str,
    message: String,
    file: Option<String>,
    line: Option<usize>,
}

#[derive(Serialize)]
struct Server<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Share {
    index: u32,
    count: u32,
}

#[derive(Serialize)]
struct InRevision<'a> {
    revision: &'static str,
    spoken: bool,
    offered: Option<&'a str>,
    reason: Option<&'a str>,
    conforms: Option<bool>,
    counts: Amounts,
    applicable: usize,
    verified: usize,
}

#[derive(Serialize)]
pub(super) struct Amounts {
    fail: usize,
    error: usize,
    warn: usize,
    note: usize,
    unverified: usize,
    pass: usize,
    not_applicable: usize,
}

#[derive(Serialize)]
struct CaseResult<'a> {
    case: &'static str,
    title: &'static str,
    area: &'static str,
    revision: &'static str,
    transport: &'static str,
    verdict: &'static str,
    level: &'static str,
    statement: &'static str,
    link: String,
    message: Option<&'a str>,
    remarks: &'a [String],
    evidence: Option<Shown<'a>>,
    hint: Option<&'static str>,
    reproduce: Option<String>,
    known: Option<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    reason: &'a str,
    issue: Option<&'a str>,
    expires: Option<String>,
    line: usize,
}

#[derive(Serialize)]
struct Shown<'a> {
    exchange: Vec<Said<'a>>,
    expected: Option<&'a str>,
    actual: Option<&'a str>,
}

#[derive(Serialize)]
struct Said<'a> {
    stream: &'static str,
    at_ms: u64,
    text: Cow<'a, str>,
    hex: Option<String>,
    bytes: u64,
    mark: Option<[usize; 2]>,
}

impl<'a> Report<'a> {
    fn of(run: &'a Run) -> Report<'a> {
        Report {
            schema_version: SCHEMA_VERSION,
            tool: TOOL,
            target: &run.target,
            transport: run.transport.as_str(),
            server: run
                .server
                .as_ref()
                .map(|(name, version)| Server { name, version }),
            started: &run.started,
            duration_ms: milliseconds(run.duration),
            processes: run.processes,
            options: &run.options,
            filtered: run.filtered,
            shard: run.shard.map(|shard| Share {
                index: shard.index(),
                count: shard.count(),
            }),
            finished: run.finished,
            remarks: &run.remarks,
            revisions: run
                .revisions
                .iter()
                .map(|entry| InRevision::of(run, entry))
                .collect(),
            results: run
                .judgements
                .iter()
                .map(|judgement| CaseResult::of(run, judgement))
                .collect(),
            baseline: run.baseline.as_ref().map(|baseline| baseline.path.as_str()),
            flaws: run.flaws().into_iter().map(Shortcoming::of).collect(),
        }
    }
}

impl<'a> InRevision<'a> {
    fn of(run: &Run, (revision, spoken): &'a (crate::spec::Revision, Spoken)) -> InRevision<'a> {
        let counts = Counts::of(run.of_revision(*revision));
        let (offered, reason) = match spoken {
            Spoken::Yes => (None, None),
            Spoken::Other(offered) => (Some(offered.as_str()), None),
            Spoken::No(reason) => (None, Some(reason.as_str())),
        };
        InRevision {
            revision: revision.as_str(),
            spoken: *spoken == Spoken::Yes,
            offered,
            reason,
            conforms: Standing::of(run, *revision).conforms(),
            counts: Amounts::of(&counts),
            applicable: counts.applicable(),
            verified: counts.verified(),
        }
    }
}

impl Amounts {
    pub(super) fn of(counts: &Counts) -> Amounts {
        Amounts {
            fail: counts.get(Verdict::Fail),
            error: counts.get(Verdict::Error),
            warn: counts.get(Verdict::Warn),
            note: counts.get(Verdict::Note),
            unverified: counts.get(Verdict::Unverified),
            pass: counts.get(Verdict::Pass),
            not_applicable: counts.get(Verdict::NotApplicable),
        }
    }
}

impl Shortcoming {
    fn of(flaw: Flaw) -> Shortcoming {
        let (file, line) = flaw.place.unzip();
        Shortcoming {
            id: flaw.id,
            message: flaw.message,
            file,
            line,
        }
    }
}

impl<'a> CaseResult<'a> {
    fn of(run: &'a Run, judgement: &'a Judgement) -> CaseResult<'a> {
        let clause = &judgement.case.clause;
        let shown = needs_evidence(judgement.verdict);
        CaseResult {
            case: clause.id,
            title: clause.title,
            area: clause.area(),
            revision: judgement.revision.as_str(),
            transport: judgement.transport.as_str(),
            verdict: judgement.verdict.as_str(),
            level: clause.level_in(judgement.revision).keyword(),
            statement: clause.statement,
            link: clause.link(judgement.revision),
            message: judgement.message.as_deref(),
            remarks: &judgement.remarks,
            evidence: shown.then(|| Shown::of(judgement)),
            hint: is_broken(judgement.verdict).then_some(judgement.case.advice.mend),
            reproduce: shown.then(|| run.reproduce(judgement)),
            known: run.known(judgement).map(|known| Entry {
                reason: &known.reason,
                issue: known.issue.as_deref(),
                expires: known.expires.map(|day| day.to_string()),
                line: known.line,
            }),
        }
    }
}

impl<'a> Shown<'a> {
    fn of(judgement: &'a Judgement) -> Shown<'a> {
        let evidence = &judgement.evidence;
        let compared = evidence.compared.as_ref();
        Shown {
            exchange: in_time(evidence).into_iter().map(Said::of).collect(),
            expected: compared.map(|(expected, _)| expected.as_str()),
            actual: compared.map(|(_, actual)| actual.as_str()),
        }
    }
}

impl<'a> Said<'a> {
    fn of(excerpt: &'a Excerpt) -> Said<'a> {
        let bytes = whole_letters(excerpt);
        let (text, hex) = match str::from_utf8(bytes) {
            Ok(text) => (Cow::Borrowed(text), None),
            Err(_) => (Cow::Owned(escaped(bytes)), Some(hex(bytes))),
        };
        let mark = excerpt.mark.as_ref().map(|mark| clamped(mark, bytes.len()));
        Said {
            stream: excerpt.stream.as_str(),
            at_ms: milliseconds(excerpt.at),
            text,
            hex,
            bytes: excerpt.len,
            mark: mark.map(|mark| [mark.start, mark.end]),
        }
    }
}

/// The bytes, without the half of a letter that cutting off may have left.
fn whole_letters(excerpt: &Excerpt) -> &[u8] {
    let bytes = &*excerpt.text;
    match str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() && excerpt.len > bytes.len() as u64 => {
            &bytes[..error.valid_up_to()]
        }
        _ => bytes,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
