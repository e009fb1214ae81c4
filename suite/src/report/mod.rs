//! Reports: every one is a view of a [`Run`]. Text that the server wrote is shown escaped.

pub mod badge;
pub mod catalogue;
pub mod diff;
mod excerpt;
pub mod github;
pub mod html;
pub mod human;
pub mod intoto;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod merge;
mod plain;
pub mod read;
pub mod sarif;
mod standing;
mod summary;
pub mod tap;
pub mod targets;
mod text;

use std::{
    io::{self, Write},
    ptr,
};

use clap::ValueEnum;

use crate::{
    case::Case,
    cases,
    run::{Evidence, Judgement, Known, Run, Verdict},
    tape::Excerpt,
};

pub(crate) use plain::{details, flaw, message};
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
    /// JUnit XML, for test reports of CI
    Junit,
    /// TAP 14, for readers of the Test Anything Protocol
    Tap,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands, for the annotations of GitHub Actions
    Github,
    /// Markdown, for summaries and comments
    Markdown,
}

impl FormatName {
    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            FormatName::Human => "human",
            FormatName::Json => "json",
            FormatName::Html => "html",
            FormatName::Intoto => "intoto",
            FormatName::Junit => "junit",
            FormatName::Tap => "tap",
            FormatName::Sarif => "sarif",
            FormatName::Github => "github",
            FormatName::Markdown => "markdown",
        }
    }

    /// Whether reports may stand one below the other: for people, and as lines that a runner reads.
    pub fn goes_on(self) -> bool {
        matches!(
            self,
            FormatName::Human | FormatName::Github | FormatName::Markdown
        )
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
        FormatName::Junit => junit::Junit.write(run, out),
        FormatName::Tap => tap::Tap.write(run, out),
        FormatName::Sarif => sarif::Sarif.write(run, out),
        FormatName::Github => github::Github.write(run, out),
        FormatName::Markdown => markdown::Markdown::default().write(run, out),
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
    /// The entry of the baseline that knows of it.
    known: Option<&'a Known>,
}

impl<'a> Finding<'a> {
    /// What came to `verdict` and is not known, in the order of the registry.
    fn all(run: &'a Run, verdict: Verdict) -> Vec<Finding<'a>> {
        Finding::of(run, |judgement, known| {
            judgement.verdict == verdict && known.is_none()
        })
    }

    /// What the baseline knows of, the gravest first.
    fn known(run: &'a Run) -> Vec<Finding<'a>> {
        let mut findings = Finding::of(run, |_, known| known.is_some());
        findings.sort_by_key(|finding| finding.newest().verdict as usize);
        findings
    }

    /// What is `wanted`, in the order of the registry.
    fn of(run: &'a Run, wanted: impl Fn(&Judgement, Option<&Known>) -> bool) -> Vec<Finding<'a>> {
        let mut findings: Vec<Finding<'a>> = Vec::new();
        for judgement in &run.judgements {
            let known = run.known(judgement);
            if !wanted(judgement, known) {
                continue;
            }
            let alike = |finding: &&mut Finding<'_>| {
                finding.id() == judgement.case.clause.id
                    && finding.newest().verdict == judgement.verdict
                    && finding.known.map(ptr::from_ref) == known.map(ptr::from_ref)
            };
            match findings.iter_mut().find(alike) {
                Some(finding) => finding.judgements.push(judgement),
                None => findings.push(Finding {
                    case: judgement.case,
                    judgements: vec![judgement],
                    known,
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
