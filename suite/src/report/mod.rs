//! Reports: every one is a view of a [`Run`]. Text that the server wrote is shown escaped.

pub mod badge;
pub mod catalogue;
pub mod diff;
mod excerpt;
pub mod html;
pub mod human;
pub mod intoto;
pub mod json;
pub mod merge;
pub mod read;
mod standing;
mod summary;
mod text;

use std::io::{self, Write};

use clap::ValueEnum;

use crate::{
    case::Case,
    cases,
    run::{Evidence, Judgement, Run, Verdict},
    tape::Excerpt,
};

pub use standing::Standing;

/// A way to write a run down.
pub trait Format {
    /// Writes the whole report.
    ///
    /// # Errors
    /// What `out` fails with.
    fn write(&self, run: &Run, out: &mut dyn Write) -> io::Result<()>;
}

/// The formats by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// For people, on a terminal
    Human,
    /// For programs; `schemas/report.json` describes it
    Json,
    /// For people, in a browser: one page that needs nothing else
    Html,
    /// For signers: an in-toto statement with the predicate `test-result`
    Intoto,
}

impl FormatName {
    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            FormatName::Human => "human",
            FormatName::Json => "json",
            FormatName::Html => "html",
            FormatName::Intoto => "intoto",
        }
    }

    /// Every name, for messages.
    pub fn names() -> String {
        FormatName::value_variants()
            .iter()
            .map(|name| name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// How much people are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// The last lines only.
    Quiet,
    /// What is wrong in full, the rest in brief.
    #[default]
    Normal,
    /// Every case.
    Verbose,
}

/// How text for people looks. It alone decides on colour.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether to use ANSI colours.
    pub color: bool,
    /// How much is shown.
    pub verbosity: Verbosity,
    /// How many columns there are.
    pub width: usize,
}

/// Writes the run in the format of this name; `look` matters to formats for people only.
///
/// # Errors
/// What `out` fails with.
pub fn write(format: FormatName, run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        FormatName::Human => human::Human { look }.write(run, out),
        FormatName::Json => json::Json.write(run, out),
        FormatName::Html => html::Html.write(run, out),
        FormatName::Intoto => intoto::InToto.write(run, out),
    }
}

/// Whether the verdict says that the clause was broken.
fn is_broken(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Warn | Verdict::Note)
}

/// Whether the verdict has to be shown with its evidence.
fn needs_evidence(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Pass | Verdict::NotApplicable)
}

/// What was said, in the order of time: what a rule found may stand behind what the probe saw.
fn in_time(evidence: &Evidence) -> Vec<&Excerpt> {
    let mut exchange: Vec<_> = evidence.exchange.iter().collect();
    exchange.sort_by_key(|excerpt| excerpt.at);
    exchange
}

/// One case with one verdict, in all the revisions in which it came to that.
struct Finding<'a> {
    case: &'static Case,
    /// Newest revision first; never empty.
    judgements: Vec<&'a Judgement>,
}

impl<'a> Finding<'a> {
    /// What came to `verdict`, in the order of the registry.
    fn all(run: &'a Run, verdict: Verdict) -> Vec<Finding<'a>> {
        let mut findings: Vec<Finding<'a>> = Vec::new();
        for judgement in run
            .judgements
            .iter()
            .filter(|judgement| judgement.verdict == verdict)
        {
            match findings
                .iter_mut()
                .find(|finding| finding.id() == judgement.case.clause.id)
            {
                Some(finding) => finding.judgements.push(judgement),
                None => findings.push(Finding {
                    case: judgement.case,
                    judgements: vec![judgement],
                }),
            }
        }
        for finding in &mut findings {
            finding
                .judgements
                .sort_by_key(|judgement| std::cmp::Reverse(judgement.revision));
        }
        let place = |id| cases::all().position(|case| case.clause.id == id);
        findings.sort_by_cached_key(|finding| place(finding.id()));
        findings
    }

    fn id(&self) -> &'static str {
        self.case.clause.id
    }

    /// The judgement in the newest revision.
    fn newest(&self) -> &'a Judgement {
        self.judgements[0]
    }

    /// The revisions, newest first.
    fn revisions(&self) -> String {
        listed(&self.judgements)
    }
}

fn listed(judgements: &[&Judgement]) -> String {
    judgements
        .iter()
        .map(|judgement| judgement.revision.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}
