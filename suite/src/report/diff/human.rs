use std::io::{self, Write};

use super::{Diff, Group, Kind, more, sentence, word};
use crate::{
    report::{
        Look, Verbosity,
        human::sign,
        read::Report,
        text::{Column, Page, Tone},
    },
    run::Verdict,
    tape::escaped,
};

/// Where the labels of the first lines stand.
const HEAD: Column = Column {
    indent: 2,
    width: 5,
};

/// Writes the comparison for people, on a terminal.
///
/// # Errors
/// What `out` fails with.
pub fn human(diff: &Diff<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(look, out);
    if look.verbosity != Verbosity::Quiet {
        page.line(page.paint(Tone::Heading, "Compared"))?;
        for (label, reports) in [("old", diff.old), ("new", diff.new)] {
            let sides: Vec<_> = reports.iter().map(side).collect();
            page.beside(HEAD, label, &sides)?;
        }
        for (kind, title) in [
            (Kind::Worse, "Worse"),
            (Kind::Better, "Better"),
            (Kind::New, "New"),
            (Kind::Gone, "No longer seen"),
        ] {
            changes(&mut page, diff, kind, title)?;
        }
        page.blank()?;
    }
    let tone = if diff.is_worse() {
        Tone::Bad
    } else {
        Tone::Good
    };
    let totals = diff.totals();
    let totals = page.paint(tone, totals);
    page.line(totals)
}

fn side(report: &Report) -> String {
    escaped(format!(
        "{} over {}, {} ({} {})",
        report.target, report.transport, report.started, report.tool.name, report.tool.version
    ))
}

fn changes(page: &mut Page<'_>, diff: &Diff<'_>, kind: Kind, title: &str) -> io::Result<()> {
    if diff.count(kind) == 0 {
        return Ok(());
    }
    page.heading(title)?;
    for spoken in diff.spoken.iter().filter(|spoken| spoken.kind() == kind) {
        page.prose(2, None, &sentence(*spoken))?;
    }
    let (groups, quiet) = Group::all(diff, kind);
    for group in &groups {
        self::group(page, group)?;
    }
    if quiet > 0 {
        page.prose(2, Some(Tone::Faint), &more(quiet, !groups.is_empty()))?;
    }
    Ok(())
}

fn group(page: &mut Page<'_>, group: &Group<'_>) -> io::Result<()> {
    let change = group.first;
    let shown = change.new.or(change.old).unwrap_or(Verdict::Unverified);
    let mark = page.paint(Tone::of(shown), sign(shown));
    let id = page.paint(Tone::Heading, escaped(&change.result.case));
    let (old, new) = (word(change.old), word(change.new));
    page.line(format_args!("  {mark} {id}  {old} → {new}"))?;
    let place = format!("in {} over {}", group.revisions(), change.result.transport);
    page.prose(4, Some(Tone::Faint), &place)?;
    match group.message() {
        Some(message) => page.prose(4, None, &escaped(message)),
        None => Ok(()),
    }
}
