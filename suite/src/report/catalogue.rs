//! The catalogue of cases, as a list and one by one.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;

use super::{
    Look,
    json::{SCHEMA_VERSION, TOOL, Tool, write_document},
    text::{Column, Page, Tone, columns, counted},
};
use crate::{
    case::Case,
    spec::{Clause, Revision, Transport},
};

/// Between two columns.
const GAP: &str = "  ";
/// Where the labels of `explain` stand.
const LABELS: Column = Column {
    indent: 0,
    width: 12,
};

/// Writes a table of the cases, area by area. The title has a line of its own where it finds no
/// room beside the rest, and so has an id.
///
/// # Errors
/// What `out` fails with.
pub fn list_human(cases: &[&'static Case], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(look, out);
    let widest =
        |of: &dyn Fn(&Case) -> usize| cases.iter().map(|case| of(case)).max().unwrap_or_default();
    let id = widest(&|case| columns(case.clause.id));
    let level = widest(&|case| columns(newest_level(&case.clause)));
    let span = widest(&|case| columns(&span(&case.clause)));
    let transports = widest(&|case| columns(&short(case.clause.transports)));
    let kind = widest(&|case| columns(case.nature().as_str()));
    let title = widest(&|case| columns(case.clause.title));
    let rest = 2 + level + span + transports + kind + 4 * GAP.len();
    let beside = rest + id + GAP.len() + title <= page.look.width;
    let id = id.min(page.look.width.saturating_sub(rest));

    let mut area = "";
    for case in cases {
        let clause = &case.clause;
        if clause.area() != area {
            if !area.is_empty() {
                page.blank()?;
            }
            area = clause.area();
            let name = page.paint(Tone::Heading, area);
            page.line(name)?;
        }
        let mut first = clause.id;
        if columns(first) > id {
            page.line(format_args!("  {first}"))?;
            first = "";
        }
        let row = format!(
            "  {first:id$}{GAP}{:level$}{GAP}{:span$}{GAP}{:transports$}{GAP}{:kind$}",
            newest_level(clause),
            self::span(clause),
            short(clause.transports),
            case.nature().as_str()
        );
        let title = page.paint(Tone::Faint, clause.title);
        if beside {
            page.line(format_args!("{row}{GAP}{title}"))?;
        } else {
            page.line(row.trim_end())?;
            page.line(format_args!("    {title}"))?;
        }
    }
    page.blank()?;
    let count = counted(cases.len(), "case", "cases");
    let unjudged = Revision::ALL
        .iter()
        .filter(|revision| !Revision::WITH_HANDSHAKE.contains(revision))
        .map(|revision| format!("; {revision} is not judged yet"));
    page.line(format_args!("{count}{}", unjudged.collect::<String>()))
}

/// How strongly the clause binds in the newest revision in which it holds.
fn newest_level(clause: &Clause) -> &'static str {
    clause.level_in(clause.until).keyword()
}

/// The transports by the commands that judge over them.
fn short(transports: &[Transport]) -> String {
    if transports.len() == Transport::ALL.len() {
        return "all".to_owned();
    }
    let names: Vec<_> = transports.iter().map(|one| command(*one)).collect();
    names.join(", ")
}

/// The command that judges over a transport, which is that of the reference server too.
fn command(transport: Transport) -> &'static str {
    match transport {
        Transport::Stdio => "stdio",
        Transport::StreamableHttp => "http",
        Transport::HttpSse => "sse",
    }
}

/// The revisions in which the clause holds, from the first to the last.
fn span(clause: &Clause) -> String {
    if clause.since == clause.until {
        clause.since.to_string()
    } else {
        format!("{}–{}", clause.since, clause.until)
    }
}

#[derive(Serialize)]
struct Catalogue {
    schema_version: u32,
    tool: Tool,
    cases: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    id: &'static str,
    title: &'static str,
    statement: &'static str,
    level: BTreeMap<&'static str, &'static str>,
    since: &'static str,
    until: &'static str,
    transports: Vec<&'static str>,
    kind: &'static str,
    needs: Vec<String>,
    anchors: BTreeMap<&'static str, &'static str>,
    fault: &'static str,
}

impl Entry {
    fn of(case: &Case) -> Entry {
        let clause = &case.clause;
        let by_revision = |of: &dyn Fn(Revision) -> &'static str| {
            clause
                .revisions()
                .map(|revision| (revision.as_str(), of(revision)))
                .collect()
        };
        Entry {
            id: clause.id,
            title: clause.title,
            statement: clause.statement,
            level: by_revision(&|revision| clause.level_in(revision).keyword()),
            since: clause.since.as_str(),
            until: clause.until.as_str(),
            transports: clause
                .transports
                .iter()
                .copied()
                .map(Transport::as_str)
                .collect(),
            kind: case.nature().as_str(),
            needs: clause.needs.iter().map(ToString::to_string).collect(),
            anchors: by_revision(&|revision| clause.anchor(revision)),
            fault: clause.fault,
        }
    }
}

/// Writes the cases for programs.
///
/// # Errors
/// What `out` fails with.
pub fn list_json(cases: &[&'static Case], out: &mut dyn Write) -> io::Result<()> {
    let cases = cases.iter().map(|case| Entry::of(case)).collect();
    write_document(
        &Catalogue {
            schema_version: SCHEMA_VERSION,
            tool: TOOL,
            cases,
        },
        out,
    )
}

/// Writes all that there is to say about one case.
///
/// # Errors
/// What `out` fails with.
pub fn explain(case: &Case, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(look, out);
    let clause = &case.clause;
    let id = page.paint(Tone::Heading, clause.id);
    page.line(id)?;
    page.prose(0, None, clause.title)?;
    page.blank()?;
    page.labelled(LABELS, newest_level(clause), clause.statement)?;
    page.blank()?;
    let transports: Vec<_> = clause
        .transports
        .iter()
        .copied()
        .map(Transport::as_str)
        .collect();
    if clause.binding() != newest_level(clause) {
        page.labelled(LABELS, "level", &clause.binding())?;
    }
    page.labelled(LABELS, "transports", &transports.join(", "))?;
    page.labelled(LABELS, "kind", case.nature().as_str())?;
    let needs: Vec<_> = clause.needs.iter().map(ToString::to_string).collect();
    let needs = if needs.is_empty() {
        "nothing".to_owned()
    } else {
        needs.join(", ")
    };
    page.labelled(LABELS, "needs", &needs)?;
    let links: Vec<_> = clause
        .revisions()
        .map(|revision| clause.link(revision))
        .collect();
    page.beside(LABELS, "revisions", &links)?;
    for (title, text) in [
        ("Why it matters", case.advice.why),
        ("How it is probed", case.advice.how),
        ("How to mend it", case.advice.mend),
    ] {
        page.heading(title)?;
        page.prose(2, None, text)?;
    }
    page.heading("What it looks like")?;
    page.prose(
        2,
        None,
        &format!(
            "The fault `{}` of the reference server breaks it:",
            clause.fault
        ),
    )?;
    page.line(format_args!("  {}", example(case)))
}

/// The command that shows what the case says of its fault, in one revision: some faults disturb the
/// others. The server is ours, so that all of its tools may be called.
pub fn example(case: &Case) -> String {
    let clause = &case.clause;
    let order = [
        Transport::Stdio,
        Transport::StreamableHttp,
        Transport::HttpSse,
    ];
    let first = order.iter().find(|one| clause.transports.contains(one));
    let transport = first.copied().unwrap_or(clause.transports[0]);
    let kind = command(transport);
    // Without it these cases judge nothing; the reference server gives up well within the time.
    let wait = match case.advice.how.contains("--long-wait") {
        true => " --long-wait 8",
        false => "",
    };
    let mut revisions = transport.revisions().iter().rev();
    let newest = revisions.find(|revision| clause.applies_in(**revision, transport));
    let revision = newest.map_or_else(String::new, |revision| format!("--revision {revision} "));
    let options = format!("{revision}--tools all{wait} --case {}", clause.id);
    let path = match transport {
        Transport::Stdio => {
            return format!(
                "mcp-conform stdio {options} -- mcp-conform mock stdio --fault {}",
                clause.fault
            );
        }
        Transport::StreamableHttp => "mcp",
        Transport::HttpSse => "sse",
    };
    format!(
        "mcp-conform {kind} {options} 'http://127.0.0.1:{{port}}/{path}' -- \
         mcp-conform mock {kind} --port '{{port}}' --fault {}",
        clause.fault
    )
}
