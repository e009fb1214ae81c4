//! What a person reads on a terminal: what is wrong first and in full, how it stands last.

use std::{
    io::{self, Write},
    time::Duration,
};

use super::{
    Finding, Format, Look, Standing, Verbosity,
    excerpt::{comparison, exchange},
    in_time, is_broken, listed,
    text::{Column, Page, Tone, columns, counted, cut},
};
use crate::{
    run::{Counts, Judgement, Run, Spoken, Verdict},
    spec::Revision,
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
    page.beside(HEAD, "command", &[escaped(&run.target)])?;
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
    if run.filtered {
        page.labelled(HEAD, "cases", "only some were selected")?;
    }
    Ok(())
}

fn unspoken(spoken: &Spoken) -> Option<String> {
    match spoken {
        Spoken::Yes => None,
        Spoken::Other(offered) => Some(format!(
            "the server offered {} in its place",
            escaped(offered)
        )),
        Spoken::No(reason) => Some(escaped(reason)),
    }
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

fn sign(verdict: Verdict) -> &'static str {
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

    let said = in_time(&newest.evidence);
    if !said.is_empty() {
        page.blank()?;
        exchange(page, indent, &said)?;
    }
    if let Some((expected, actual)) = &newest.evidence.compared {
        page.blank()?;
        comparison(page, indent, expected, actual)?;
    }

    page.blank()?;
    page.labelled(LABELS, clause.level.keyword(), clause.statement)?;
    page.beside(LABELS, "", &[clause.link(newest.revision)])?;
    if is_broken(newest.verdict) {
        page.labelled(LABELS, "to mend", finding.case.advice.mend)?;
    }
    page.beside(LABELS, "reproduce", &[escaped(run.reproduce(newest))])
}

/// The messages, each with the judgements that have it, the newest first.
fn messages<'a>(judgements: &[&'a Judgement]) -> Vec<(&'a str, Vec<&'a Judgement>)> {
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
    for finding in &findings {
        let verdict = page.paint(Tone::Good, sign(Verdict::Pass));
        page.line(format_args!("  {verdict} {}", finding.id()))?;
        page.prose(LABELS.indent, Some(Tone::Faint), finding.case.clause.title)?;
        if finding.judgements.len() < judged {
            page.prose(
                LABELS.indent,
                Some(Tone::Faint),
                &format!("in {}", finding.revisions()),
            )?;
        }
    }
    Ok(())
}

/// The cases with this verdict by the reason for it, a line each.
fn reasons(page: &mut Page<'_>, run: &Run, verdict: Verdict, title: &str) -> io::Result<()> {
    let mut reasons: Vec<(&str, Vec<&'static str>)> = Vec::new();
    for finding in Finding::all(run, verdict) {
        for (reason, _) in messages(&finding.judgements) {
            match reasons.iter_mut().find(|(other, _)| *other == reason) {
                Some((_, ids)) => ids.push(finding.id()),
                None => reasons.push((reason, vec![finding.id()])),
            }
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    page.heading(title)?;
    for (reason, ids) in reasons {
        let reason = if reason.is_empty() {
            "no reason given".to_owned()
        } else {
            escaped(reason)
        };
        let room = page.look.width.saturating_sub(4);
        let line = match ids.as_slice() {
            [id] => format!("{id}: {reason}"),
            ids => format!("{} clauses: {reason}", ids.len()),
        };
        page.line(format_args!(
            "  {} {}",
            page.paint(Tone::Faint, sign(verdict)),
            cut(&line, room)
        ))?;
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

/// The verdicts by area and revision.
fn table(page: &mut Page<'_>, run: &Run) -> io::Result<()> {
    let mut areas: Vec<&'static str> = Vec::new();
    for judgement in &run.judgements {
        if !areas.contains(&judgement.case.clause.area()) {
            areas.push(judgement.case.clause.area());
        }
    }
    if areas.is_empty() {
        return Ok(());
    }
    // What never happened needs no column.
    let total = Counts::of(&run.judgements);
    let shown: Vec<Verdict> = [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Error,
        Verdict::Warn,
        Verdict::Note,
        Verdict::Unverified,
    ]
    .into_iter()
    .filter(|verdict| matches!(verdict, Verdict::Pass | Verdict::Fail) || total.get(*verdict) > 0)
    .collect();
    let first = areas
        .iter()
        .map(|area| columns(area))
        .max()
        .unwrap_or_default()
        .max(4);
    let heads: String = shown
        .iter()
        .map(|verdict| format!("  {:>5}", verdict.as_str()))
        .collect();
    let head = format!(
        "{:first$}  {:10}{heads}",
        "Area",
        "Revision",
        first = first + 2
    );
    page.heading(&head)?;
    for area in areas {
        let mut label = area;
        for revision in run.judged() {
            let of_area = |judgement: &&Judgement| judgement.case.clause.area() == area;
            let counts = Counts::of(run.of_revision(revision).filter(of_area));
            if counts.applicable() == 0 {
                continue;
            }
            let mut line = format!("  {label:first$}  {:10}", revision.as_str());
            for verdict in &shown {
                let width = verdict.as_str().len().max(5);
                line.push_str("  ");
                line.push_str(&match counts.get(*verdict) {
                    0 => page.paint(Tone::Faint, format_args!("{:>width$}", "·")),
                    count => page.paint(Tone::of(*verdict), format_args!("{count:>width$}")),
                });
            }
            page.line(line)?;
            label = "";
        }
    }
    Ok(())
}

fn last_lines(page: &mut Page<'_>, run: &Run) -> io::Result<()> {
    for (revision, spoken) in &run.revisions {
        let counts = Counts::of(run.of_revision(*revision));
        let selected = if run.filtered {
            " (of those selected)"
        } else {
            ""
        };
        let seen = format!(
            "{} of {} clauses verified{selected}",
            counts.verified(),
            counts.applicable()
        );
        let beside = [
            (Verdict::Warn, "warning", "warnings"),
            (Verdict::Note, "note", "notes"),
        ];
        let beside = amounts(&counts, &beside);
        let (tone, word, details) = match Standing::of(run, *revision) {
            Standing::Conforms => (Tone::Good, "conforms", join([seen, beside])),
            Standing::Breaks => {
                let broken = [
                    (Verdict::Fail, "failure", "failures"),
                    (Verdict::Error, "error", "errors"),
                ];
                let details = join([amounts(&counts, &broken), seen, beside]);
                (Tone::Bad, "does not conform", details)
            }
            Standing::NotSpoken => {
                let reason = unspoken(spoken).unwrap_or_default();
                (Tone::Faint, "not spoken", reason)
            }
            Standing::Untold => (
                Tone::Wary,
                "nothing found broken, but not told",
                join([seen, beside]),
            ),
        };
        let word = page.paint(tone, word);
        let details = cut(&details, page.look.width.max(80));
        page.line(format_args!(
            "{revision} over {}: {word} — {details}",
            run.transport
        ))?;
    }
    if !run.finished {
        let text = page.paint(
            Tone::Wary,
            "The run was cut short: what it did not reach is not judged.",
        );
        page.line(text)?;
    }
    let end = format!(
        "{}, {}",
        lasted(run.duration),
        counted(
            run.processes as usize,
            "process started",
            "processes started"
        )
    );
    let end = page.paint(Tone::Faint, end);
    page.line(end)
}

fn amounts(counts: &Counts, of: &[(Verdict, &str, &str)]) -> String {
    let amounts = of.iter().filter(|(verdict, ..)| counts.get(*verdict) > 0);
    amounts
        .map(|(verdict, one, many)| counted(counts.get(*verdict), one, many))
        .collect::<Vec<_>>()
        .join(", ")
}

fn join<const N: usize>(parts: [String; N]) -> String {
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

fn lasted(duration: Duration) -> String {
    match duration.as_secs() {
        0..120 => format!("{:.1} s", duration.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
