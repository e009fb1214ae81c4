//! How it stands: the verdicts in numbers, and the last lines.

use std::{io, time::Duration};

use super::{
    Standing,
    text::{Page, Tone, columns, counted, cut},
};
use crate::{
    run::{Counts, Judgement, Run, Spoken, Verdict},
    tape::escaped,
};

/// The verdicts by area and revision.
pub(super) fn table(page: &mut Page<'_>, run: &Run) -> io::Result<()> {
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

/// How the server stands in each revision, and what the run took.
pub(super) fn last_lines(page: &mut Page<'_>, run: &Run) -> io::Result<()> {
    for (revision, spoken) in &run.revisions {
        let counts = Counts::of(run.of_revision(*revision));
        let selected = match (run.filtered, run.shard) {
            (_, Some(shard)) => format!(" (of shard {shard})"),
            (true, None) => " (of those selected)".to_owned(),
            (false, None) => String::new(),
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
                let details = format!("{}; {}", amounts(&counts, &broken), join([seen, beside]));
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

pub(super) fn lasted(duration: Duration) -> String {
    match duration.as_secs() {
        0..120 => format!("{:.1} s", duration.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Why a revision was not judged.
pub(super) fn unspoken(spoken: &Spoken) -> Option<String> {
    match spoken {
        Spoken::Yes => None,
        Spoken::Other(offered) => Some(format!(
            "the server offered {} in its place",
            escaped(offered)
        )),
        Spoken::No(reason) => Some(escaped(reason)),
    }
}
