//! TAP 14, flat: readers of older versions understand it too, which subtests would not let them.

use std::io::{self, Write};

use super::{Format, is_broken, needs_evidence, plain, summary::last_lines};
use crate::{
    run::{Flaw, Judgement, Run, Verdict},
    tape::escaped,
};

/// The format of the Test Anything Protocol.
#[derive(Clone, Copy, Debug)]
pub struct Tap;

impl Format for Tap {
    fn write(&self, run: &Run, out: &mut dyn Write) -> io::Result<()> {
        let flaws = run.flaws();
        writeln!(out, "TAP version 14")?;
        writeln!(out, "1..{}", run.judgements.len() + flaws.len())?;
        let mut number = 0;
        for judgement in &run.judgements {
            number += 1;
            point(run, judgement, number, out)?;
        }
        for flaw in &flaws {
            number += 1;
            of_the_run(flaw, number, out)?;
        }
        for line in plain::written(|page| last_lines(page, run)).lines() {
            writeln!(out, "# {line}")?;
        }
        Ok(())
    }
}

/// A test point, and what there is to say about it.
fn point(run: &Run, judgement: &Judgement, number: usize, out: &mut dyn Write) -> io::Result<()> {
    let ok = match judgement.verdict {
        Verdict::Fail | Verdict::Error => "not ok",
        _ => "ok",
    };
    let (id, revision) = (judgement.case.clause.id, judgement.revision);
    let transport = judgement.transport;
    write!(out, "{ok} {number} - {id} in {revision} over {transport}")?;
    match judgement.verdict {
        Verdict::Unverified => write!(out, " # SKIP {}", free(&plain::message(judgement)))?,
        Verdict::NotApplicable => {
            let reason = free(&plain::message(judgement));
            write!(out, " # SKIP not applicable: {reason}")?;
        }
        // A point that fails and is still to be done fails no harness.
        Verdict::Fail | Verdict::Error => {
            if let Some(known) = run.known(judgement) {
                write!(out, " # TODO known: {}", free(&escaped(known.explained())))?;
            }
        }
        _ => {}
    }
    writeln!(out)?;
    let told = needs_evidence(judgement.verdict) && judgement.verdict != Verdict::Unverified;
    if !told && judgement.remarks.is_empty() {
        return Ok(());
    }
    writeln!(out, "  ---")?;
    if told {
        diagnosis(run, judgement, out)?;
    }
    list("remarks", judgement.remarks.iter().map(escaped), out)?;
    writeln!(out, "  ...")
}

fn diagnosis(run: &Run, judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    let clause = &judgement.case.clause;
    member("severity", judgement.verdict.as_str(), out)?;
    member("message", &plain::message(judgement), out)?;
    if let Some(known) = run.known(judgement) {
        member("known", &escaped(known.explained()), out)?;
    }
    let level = clause.level_in(judgement.revision);
    member("level", level.keyword(), out)?;
    member("statement", clause.statement, out)?;
    member("link", &clause.link(judgement.revision), out)?;
    if is_broken(judgement.verdict) {
        member("mend", judgement.case.advice.mend, out)?;
    }
    member("reproduce", &escaped(run.reproduce(judgement)), out)?;
    let evidence = plain::evidence(judgement);
    list("evidence", evidence.lines().map(str::to_owned), out)
}

fn of_the_run(flaw: &Flaw, number: usize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "not ok {number} - {}", flaw.id)?;
    writeln!(out, "  ---")?;
    member("message", &plain::flaw(flaw), out)?;
    writeln!(out, "  ...")
}

/// A member of the YAML block. Everything is quoted: then no text is a number, a date or a mark.
fn member(name: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  {name}: {}", quoted(text))
}

/// A list in the YAML block, a line each; nothing if it is empty.
fn list(name: &str, texts: impl Iterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    let mut texts = texts.peekable();
    if texts.peek().is_some() {
        writeln!(out, "  {name}:")?;
    }
    for text in texts {
        writeln!(out, "    - {}", quoted(&text))?;
    }
    Ok(())
}

/// The text, in which control characters are escaped already, as YAML quotes it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// The text behind a directive: a `#` of its own could begin another one.
fn free(text: &str) -> String {
    text.replace('\\', r"\\").replace('#', r"\#")
}
