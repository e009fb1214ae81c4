//! How several targets of one run stand, side by side.

use std::io::{self, Write};

use super::{
    Look, Verbosity, plain,
    summary::verdict_lines,
    text::{Page, Tone, columns},
};
use crate::{run::Run, tape::escaped};

/// What became of a target.
#[derive(Debug)]
pub enum Fate {
    /// It was judged; whether that makes the run a failure.
    Judged(Box<Run>, bool),
    /// There is no verdict, for this reason: a failure.
    Failed(String),
    /// It was left out, for this reason: no failure.
    LeftOut(String),
}

impl Fate {
    /// Whether it makes the run a failure.
    pub fn fails(&self) -> bool {
        matches!(self, Fate::Judged(_, true) | Fate::Failed(_))
    }
}

/// Writes how each target stands, and how many fail.
///
/// # Errors
/// What `out` fails with.
pub fn summary(fates: &[(String, Fate)], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(look, out);
    if look.verbosity != Verbosity::Quiet {
        page.heading("Targets")?;
    }
    let width = fates
        .iter()
        .map(|(name, _)| columns(name))
        .max()
        .unwrap_or(0);
    for (name, fate) in fates {
        let lines = match fate {
            Fate::Judged(run, _) => {
                let flaws = run.flaws();
                let flaw = |flaw| told(&page, Tone::Bad, "does not hold", &plain::flaw(flaw));
                let flaws = flaws.iter().map(flaw);
                verdict_lines(&page, run).into_iter().chain(flaws).collect()
            }
            Fate::Failed(reason) => vec![told(&page, Tone::Bad, "not judged", reason)],
            Fate::LeftOut(reason) => vec![told(&page, Tone::Faint, "left out", reason)],
        };
        for (number, line) in lines.iter().enumerate() {
            // A target is named once.
            let name = if number == 0 { name } else { "" };
            page.line(format_args!("  {name:width$}  {line}"))?;
        }
    }
    let failing: Vec<_> = fates
        .iter()
        .filter(|(_, fate)| fate.fails())
        .map(|(name, _)| name.as_str())
        .collect();
    page.blank()?;
    let all = fates.len();
    let (tone, text) = match failing.as_slice() {
        [] => (Tone::Good, format!("none of {all} targets fails")),
        [one] => (Tone::Bad, format!("1 of {all} targets fails: {one}")),
        names => {
            let (count, names) = (names.len(), names.join(", "));
            (Tone::Bad, format!("{count} of {all} targets fail: {names}"))
        }
    };
    let text = page.paint(tone, text);
    page.line(text)
}

fn told(page: &Page<'_>, tone: Tone, word: &str, reason: &str) -> String {
    let word = page.paint(tone, word);
    let first = reason.lines().next().unwrap_or_default();
    format!("{word} — {}", escaped(first))
}
