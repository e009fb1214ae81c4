//! How it stands: the verdicts in numbers, and the last lines.

use std::{io, time::Duration};

use super::{
    Standing, plain,
    text::{Page, Tone, columns, counted, cut},
};
use crate::{
    run::{Counts, Judgement, Run, Spoken, Verdict},
    spec::{Revision, Transport},
    tape::escaped,
};

/// The verdicts of one area in one revision.
pub(super) struct Row {
    pub(super) area: &'static str,
    pub(super) revision: Revision,
    /// Those that are not known.
    pub(super) counts: Counts,
    /// How many are known.
    pub(super) known: usize,
}

/// The verdicts by area and revision, where there are any that apply.
pub(super) fn rows(run: &Run) -> Vec<Row> {
    let mut areas: Vec<&'static str> = Vec::new();
    for judgement in &run.judgements {
        if !areas.contains(&judgement.case.clause.area()) {
            areas.push(judgement.case.clause.area());
        }
    }
    let row = |area, revision| {
        let all = run.of_revision(revision);
        let (known, rest): (Vec<_>, Vec<_>) = all
            .filter(|judgement| judgement.case.clause.area() == area)
            .partition(|judgement| run.known(judgement).is_some());
        Row {
            area,
            revision,
            counts: Counts::of(rest),
            known: known.len(),
        }
    };
    areas
        .into_iter()
        .flat_map(|area| run.judged().map(move |revision| row(area, revision)))
        .filter(|row| row.counts.applicable() + row.known > 0)
        .collect()
}

/// The verdicts that a table has a column for: what never happened needs none.
pub(super) fn shown(run: &Run) -> Vec<Verdict> {
    let total = Counts::of(run.unknown());
    [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Error,
        Verdict::Warn,
        Verdict::Note,
        Verdict::Unverified,
    ]
    .into_iter()
    .filter(|verdict| matches!(verdict, Verdict::Pass | Verdict::Fail) || total.get(*verdict) > 0)
    .collect()
}

/// Writes the verdicts by area and revision.
pub(super) fn table(page: &mut Page<'_>, run: &Run) -> io::Result<()> {
    let (rows, shown) = (rows(run), shown(run));
    if rows.is_empty() {
        return Ok(());
    }
    let first = rows
        .iter()
        .map(|row| columns(row.area))
        .max()
        .unwrap_or_default()
        .max(4);
    let mut heads: String = shown
        .iter()
        .map(|verdict| format!("  {:>5}", verdict.as_str()))
        .collect();
    let any_known = rows.iter().any(|row| row.known > 0);
    if any_known {
        heads.push_str("  known");
    }
    let head = format!(
        "{:first$}  {:10}{heads}",
        "Area",
        "Revision",
        first = first + 2
    );
    page.heading(&head)?;
    let mut last = "";
    for row in &rows {
        // An area is named once.
        let label = if row.area == last { "" } else { row.area };
        last = row.area;
        let mut line = format!("  {label:first$}  {:10}", row.revision.as_str());
        let mut cell = |count: usize, tone: Tone, width: usize| {
            line.push_str("  ");
            line.push_str(&match count {
                0 => page.paint(Tone::Faint, format_args!("{:>width$}", "·")),
                count => page.paint(tone, format_args!("{count:>width$}")),
            });
        };
        for verdict in &shown {
            let width = verdict.as_str().len().max(5);
            cell(row.counts.get(*verdict), Tone::of(*verdict), width);
        }
        if any_known {
            cell(row.known, Tone::Faint, 5);
        }
        page.line(line)?;
    }
    Ok(())
}

/// How the server stands, a line for each revision.
pub(super) fn verdict_lines(page: &Page<'_>, run: &Run) -> Vec<String> {
    let line = |(revision, spoken): &(Revision, Spoken)| {
        let (tone, word, details) = standing(run, *revision, spoken);
        let word = page.paint(tone, word);
        let details = cut(&details, page.look.width.max(80));
        format!("{revision} over {}: {word} — {details}", run.transport)
    };
    run.revisions.iter().map(line).collect()
}

/// How the server stands in each revision, and what the run took.
pub(super) fn last_lines(page: &mut Page<'_>, run: &Run) -> io::Result<()> {
    for line in verdict_lines(page, run) {
        page.line(line)?;
    }
    if !run.finished {
        let text = page.paint(
            Tone::Wary,
            "The run was cut short: what it did not reach is not judged.",
        );
        page.line(text)?;
    }
    for flaw in run.flaws() {
        if flaw.place.is_some() {
            let text = page.paint(Tone::Bad, plain::flaw(&flaw));
            page.line(text)?;
        }
    }
    let end = page.paint(Tone::Faint, took(run));
    page.line(end)
}

/// How long the run took, and what it opened for that; what was recorded needs nothing opened.
pub(super) fn took(run: &Run) -> String {
    let (one, many) = match run.transport {
        Transport::Stdio => ("process started", "processes started"),
        Transport::HttpSse | Transport::StreamableHttp => ("session opened", "sessions opened"),
    };
    let opened = match run.processes {
        0 => String::new(),
        count => counted(count as usize, one, many),
    };
    join([lasted(run.duration), opened])
}

/// How the server stands in one revision, in a word and in numbers.
fn standing(run: &Run, revision: Revision, spoken: &Spoken) -> (Tone, &'static str, String) {
    let counts = Counts::of(run.of_revision(revision));
    let of_revision = |judgement: &&Judgement| judgement.revision == revision;
    let new = Counts::of(run.unknown().filter(of_revision));
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
    let beside = amounts(&new, &beside);
    let known = match run.of_revision(revision).count() - run.unknown().filter(of_revision).count()
    {
        0 => String::new(),
        known => format!("{known} known"),
    };
    match Standing::of(run, revision) {
        Standing::Conforms => (Tone::Good, "conforms", join([seen, beside, known])),
        Standing::Breaks => {
            let broken = [
                (Verdict::Fail, "failure", "failures"),
                (Verdict::Error, "error", "errors"),
            ];
            let broken = join([amounts(&new, &broken), known]);
            let details = format!("{broken}; {}", join([seen, beside]));
            (Tone::Bad, "does not conform", details)
        }
        Standing::NotSpoken => (
            Tone::Faint,
            "not spoken",
            unspoken(spoken).unwrap_or_default(),
        ),
        Standing::Untold => (
            Tone::Wary,
            "nothing found broken, but not told",
            join([seen, beside, known]),
        ),
    }
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
