//! What a person reads on a terminal: what is wrong first and in full, how it stands last.

use std::io::{self, Write};

use super::{
    Finding, Format, Look, Verbosity,
    excerpt::{comparison, exchange},
    in_time, is_broken, listed,
    summary::{last_lines, table, unspoken},
    text::{Column, Page, Tone, columns, wrap},
};
use crate::{
    run::{Judgement, Known, Run, Verdict},
    spec::{Revision, Transport},
    tape::escaped,
};

/// The format for people.
#[derive(Clone, Copy, Debug)]
pub struct Human {
    /// How it looks.
    pub look: Look,
}

/// Where the labels of a finding stand.
const LABELS: Column = Column {
    indent: 4,
    width: 12,
};
/// Where the labels of the first lines stand.
const HEAD: Column = Column {
    indent: 2,
    width: 12,
};

impl Format for Human {
    fn write(&self, run: &Run, out: &mut dyn Write) -> io::Result<()> {
        let mut page = Page::new(self.look, out);
        if self.look.verbosity == Verbosity::Quiet {
            return last_lines(&mut page, run);
        }
        head(&mut page, run)?;
        for (verdict, title) in [
            (Verdict::Fail, "Failures"),
            (Verdict::Error, "Errors"),
            (Verdict::Warn, "Warnings"),
            (Verdict::Note, "Notes"),
        ] {
            findings(&mut page, run, verdict, title)?;
        }
        known(&mut page, run)?;
        if self.look.verbosity == Verbosity::Verbose {
            findings(&mut page, run, Verdict::Unverified, "Unverified")?;
            passes(&mut page, run)?;
            reasons(&mut page, run, Verdict::NotApplicable, "Not applicable")?;
        } else {
            reasons(&mut page, run, Verdict::Unverified, "Unverified")?;
        }
        remarks(&mut page, run)?;
        table(&mut page, run)?;
        page.blank()?;
        last_lines(&mut page, run)
    }
}

fn head(page: &mut Page<'_>, run: &Run) -> io::Result<()> {
    let title = format!("mcp-conform {}", env!("CARGO_PKG_VERSION"));
    let title = page.paint(Tone::Heading, title);
    page.line(title)?;
    let server = match &run.server {
        Some((name, version)) => format!("{} {}", escaped(name), escaped(version)),
        None => "(it does not say its name)".to_owned(),
    };
    page.labelled(HEAD, "server", &server)?;
    let target = if run.transport == Transport::Stdio {
        "command"
    } else {
        "target"
    };
    page.beside(HEAD, target, &[escaped(&run.target)])?;
    page.labelled(HEAD, "transport", run.transport.as_str())?;
    let judged: Vec<_> = run.judged().map(Revision::as_str).collect();
    let judged = if judged.is_empty() {
        "none".to_owned()
    } else {
        judged.join(", ")
    };
    page.labelled(HEAD, "revisions", &judged)?;
    for (revision, spoken) in &run.revisions {
        if let Some(reason) = unspoken(spoken) {
            page.labelled(HEAD, "", &format!("{revision} is not spoken: {reason}"))?;
        }
    }
    for remark in &run.remarks {
        page.labelled(HEAD, "note", &escaped(remark))?;
    }
    if run.filtered {
        page.labelled(HEAD, "cases", "only some were selected")?;
    }
    if let Some(shard) = run.shard {
        page.labelled(HEAD, "shard", &format!("{shard}: a share of the cases"))?;
    }
    Ok(())
}

fn findings(page: &mut Page<'_>, run: &Run, verdict: Verdict, title: &str) -> io::Result<()> {
    let findings = Finding::all(run, verdict);
    if findings.is_empty() {
        return Ok(());
    }
    page.heading(title)?;
    for finding in &findings {
        page.blank()?;
        self::finding(page, run, finding)?;
    }
    Ok(())
}

/// What the baseline knows of: why, and in full only where every case is shown.
fn known(page: &mut Page<'_>, run: &Run) -> io::Result<()> {
    let findings = Finding::known(run);
    if findings.is_empty() {
        return Ok(());
    }
    page.heading("Known")?;
    for finding in &findings {
        if page.look.verbosity == Verbosity::Verbose {
            page.blank()?;
            self::finding(page, run, finding)?;
            continue;
        }
        let verdict = finding.newest().verdict;
        let verdict = page.paint(Tone::Faint, format_args!("{} {verdict}", sign(verdict)));
        let revisions = page.paint(Tone::Faint, format_args!("in {}", finding.revisions()));
        page.line(format_args!("  {verdict}  {}  {revisions}", finding.id()))?;
        page.prose(LABELS.indent, None, &reason(finding))?;
    }
    Ok(())
}

/// Why what is found is put up with; empty if it is not known.
pub(super) fn reason(finding: &Finding<'_>) -> String {
    let explained = finding.known.map(Known::explained);
    escaped(explained.unwrap_or_default())
}

pub(super) fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fail | Verdict::Error => "✗",
        Verdict::Warn => "▲",
        Verdict::Note => "•",
        Verdict::Unverified => "?",
        Verdict::Pass => "✓",
        Verdict::NotApplicable => "–",
    }
}

fn finding(page: &mut Page<'_>, run: &Run, finding: &Finding<'_>) -> io::Result<()> {
    let newest = finding.newest();
    let clause = &finding.case.clause;
    let indent = LABELS.indent;
    let verdict = format!("{} {}", sign(newest.verdict), newest.verdict);
    let verdict = page.paint(Tone::of(newest.verdict), verdict);
    let id = page.paint(Tone::Heading, clause.id);
    page.line(format_args!("  {verdict}  {id}"))?;
    page.prose(indent, None, clause.title)?;
    page.prose(
        indent,
        Some(Tone::Faint),
        &format!("in {}", finding.revisions()),
    )?;

    shown(page, indent, finding)?;
    page.blank()?;
    advice(page, LABELS, run, newest)?;
    if finding.known.is_some() {
        page.labelled(LABELS, "known", &reason(finding))?;
    }
    Ok(())
}

/// What is wrong, in each revision where it is something else, and what shows it.
pub(super) fn shown(page: &mut Page<'_>, indent: usize, finding: &Finding<'_>) -> io::Result<()> {
    let newest = finding.newest();
    let mut messages = messages(&finding.judgements).into_iter();
    if let Some((message, _)) = messages.next().filter(|(message, _)| !message.is_empty()) {
        page.blank()?;
        page.prose(indent, Some(Tone::of(newest.verdict)), &escaped(message))?;
    }
    for (message, judgements) in messages {
        page.prose(
            indent,
            None,
            &format!("in {}: {}", listed(&judgements), escaped(message)),
        )?;
    }
    evidence(page, indent, newest)
}

/// What was said, and what was compared, below a blank line each.
pub(super) fn evidence(
    page: &mut Page<'_>,
    indent: usize,
    judgement: &Judgement,
) -> io::Result<()> {
    let said = in_time(&judgement.evidence);
    if !said.is_empty() {
        page.blank()?;
        exchange(page, indent, &said)?;
    }
    if let Some((expected, actual)) = &judgement.evidence.compared {
        page.blank()?;
        comparison(page, indent, expected, actual)?;
    }
    Ok(())
}

/// The clause, where it stands, and what to do.
pub(super) fn advice(
    page: &mut Page<'_>,
    labels: Column,
    run: &Run,
    judgement: &Judgement,
) -> io::Result<()> {
    let clause = &judgement.case.clause;
    let level = clause.level_in(judgement.revision);
    page.labelled(labels, level.keyword(), clause.statement)?;
    page.beside(labels, "", &[clause.link(judgement.revision)])?;
    if is_broken(judgement.verdict) {
        page.labelled(labels, "to mend", judgement.case.advice.mend)?;
    }
    page.beside(labels, "reproduce", &[escaped(run.reproduce(judgement))])
}

/// The messages, each with the judgements that have it, the newest first.
pub(super) fn messages<'a>(judgements: &[&'a Judgement]) -> Vec<(&'a str, Vec<&'a Judgement>)> {
    let mut messages: Vec<(&str, Vec<&Judgement>)> = Vec::new();
    for &judgement in judgements {
        let message = judgement.message.as_deref().unwrap_or_default();
        match messages
            .iter_mut()
            .find(|(other, _)| placeless(other) == placeless(message))
        {
            Some((_, alike)) => alike.push(judgement),
            None => messages.push((message, vec![judgement])),
        }
    }
    messages
}

/// The message without its place in the stream, which is another one in every session.
fn placeless(message: &str) -> String {
    let mut parts = message.split("at byte ");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str("at byte ");
        text.push_str(part.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    }
    text
}

fn passes(page: &mut Page<'_>, run: &Run) -> io::Result<()> {
    let findings = Finding::all(run, Verdict::Pass);
    if findings.is_empty() {
        return Ok(());
    }
    page.heading("Passes")?;
    let judged = run.judged().count();
    let width = findings
        .iter()
        .map(|finding| columns(finding.id()))
        .max()
        .unwrap_or_default();
    let column = Column {
        indent: 4,
        width: width + 2,
    };
    for finding in &findings {
        let verdict = page.paint(Tone::Good, sign(Verdict::Pass));
        let mut text = finding.case.clause.title.to_owned();
        if finding.judgements.len() < judged {
            text = format!("{text} ({})", finding.revisions());
        }
        let mut lines = wrap(
            &text,
            page.look.width.saturating_sub(column.indent + column.width),
        );
        let first = lines.remove(0);
        page.line(format_args!("  {verdict} {:width$}  {first}", finding.id()))?;
        page.beside(column, "", &lines)?;
    }
    Ok(())
}

/// The cases with this verdict by the reason for it, which is escaped.
pub(super) fn by_reason(run: &Run, verdict: Verdict) -> Vec<(String, Vec<&'static str>)> {
    let mut reasons: Vec<(String, Vec<&'static str>)> = Vec::new();
    for finding in Finding::all(run, verdict) {
        for (reason, _) in messages(&finding.judgements) {
            let reason = match reason {
                "" => "no reason given".to_owned(),
                reason => escaped(reason),
            };
            match reasons.iter_mut().find(|(other, _)| *other == reason) {
                Some((_, ids)) => ids.push(finding.id()),
                None => reasons.push((reason, vec![finding.id()])),
            }
        }
    }
    reasons
}

/// The cases with this verdict by the reason for it.
fn reasons(page: &mut Page<'_>, run: &Run, verdict: Verdict, title: &str) -> io::Result<()> {
    let reasons = by_reason(run, verdict);
    if reasons.is_empty() {
        return Ok(());
    }
    page.heading(title)?;
    for (reason, ids) in reasons {
        let room = page.look.width.saturating_sub(4);
        let line = match ids.as_slice() {
            [id] => format!("{id}: {reason}"),
            ids => format!("{} clauses: {reason}", ids.len()),
        };
        // The end of a reason is often the remedy.
        let mut lines = wrap(&line, room).into_iter();
        let first = lines.next().unwrap_or_default();
        let sign = page.paint(Tone::Faint, sign(verdict));
        page.line(format_args!("  {sign} {first}"))?;
        for line in lines {
            page.line(format_args!("{:1$}{line}", "", LABELS.indent))?;
        }
        if ids.len() > 1 {
            page.prose(LABELS.indent, Some(Tone::Faint), &ids.join(", "))?;
        }
    }
    Ok(())
}

fn remarks(page: &mut Page<'_>, run: &Run) -> io::Result<()> {
    let mut remarks: Vec<(&'static str, &str, Vec<&Judgement>)> = Vec::new();
    for judgement in &run.judgements {
        let id = judgement.case.clause.id;
        for text in &judgement.remarks {
            match remarks
                .iter_mut()
                .find(|(other, said, _)| *other == id && said == text)
            {
                Some((_, _, judgements)) => judgements.push(judgement),
                None => remarks.push((id, text, vec![judgement])),
            }
        }
    }
    if remarks.is_empty() {
        return Ok(());
    }
    page.heading("Remarks")?;
    for (id, text, judgements) in remarks {
        let revisions = page.paint(Tone::Faint, format_args!("in {}", listed(&judgements)));
        let room = page.look.width.saturating_sub(columns(id) + 4);
        let together = judgements.len() * "2025-11-25, ".len() < room;
        page.line(
            format_args!("  {id}  {}", if together { revisions.as_str() } else { "" })
                .to_string()
                .trim_end(),
        )?;
        page.prose(LABELS.indent, None, &escaped(text))?;
    }
    Ok(())
}
