//! A run: which cases are judged in which revisions, and what came of it.

mod ask;
mod bare;
mod baseline;
mod detect;
mod judge;
mod lane;
mod launched;
mod live;
mod offline;
mod plan;
mod refused;
mod refused_http;
mod revisions;
mod shard;
mod speaker;
mod track;
mod unopened;
mod verdict;

use std::{path::PathBuf, time::Duration};

use crate::{
    case::Case,
    spec::{Revision, Transport},
    tape::Excerpt,
};

pub use baseline::{Baseline, BaselineError, Known, Update};
pub use live::{NoServer, Watch, clean_up, run};
pub use offline::{From, Offline, OfflineError, judge as judge_recorded};
pub use plan::{FailOn, Options, Selection, SelectionError};
pub use shard::{NoShard, Shard};
use verdict::Outcome;
pub use verdict::Verdict;

/// One case in one revision over one transport, judged.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The case.
    pub case: &'static Case,
    /// The revision that was in force.
    pub revision: Revision,
    /// Over which transport.
    pub transport: Transport,
    /// What came of it.
    pub verdict: Verdict,
    /// Why, where the verdict is other than `pass`.
    pub message: Option<String>,
    /// Text beside the verdict that never changes it.
    pub remarks: Vec<String>,
    /// What shows it, where something was broken.
    pub evidence: Evidence,
}

impl Judgement {
    /// The verdict that an outcome comes to; `log` is what the case itself has to show.
    fn of(
        case: &'static Case,
        revision: Revision,
        transport: Transport,
        outcome: Outcome,
        log: Vec<Excerpt>,
    ) -> Judgement {
        let mut evidence = Evidence::default();
        let (verdict, message) = match outcome {
            Outcome::Kept => (Verdict::Pass, None),
            Outcome::Unseen(reason) => (Verdict::Unverified, Some(reason)),
            Outcome::NotApplicable(reason) => (Verdict::NotApplicable, Some(reason)),
            Outcome::Error(reason) => {
                evidence.exchange = log;
                (Verdict::Error, Some(reason))
            }
            Outcome::Broken(violation) => {
                evidence.exchange = log;
                // The case's own log may hold what it shows.
                let shown = violation.evidence.into_iter().filter(|shown| {
                    let mut known = evidence.exchange.iter();
                    !known.any(|known| known.at == shown.at && known.text == shown.text)
                });
                let shown: Vec<_> = shown.collect();
                evidence.exchange.extend(shown);
                evidence.compared = violation.compared;
                let verdict = Verdict::of_violation(case.clause.level_in(revision));
                (verdict, Some(violation.message))
            }
        };
        Judgement {
            case,
            revision,
            transport,
            verdict,
            message,
            remarks: Vec::new(),
            evidence,
        }
    }
}

/// What was said, where a verdict needs it.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What the case sent and what came back, in the order of time.
    pub exchange: Vec<Excerpt>,
    /// What was expected and what came, where the two are compared.
    pub compared: Option<(String, String)>,
}

/// A revision that was asked for, and what the server made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// It is spoken, and was judged.
    Yes,
    /// The server offered this one in its place.
    Other(String),
    /// `initialize` was refused, or not answered, for this reason.
    No(String),
}

/// What judged what, with which options, and what came of it. Every report is a view of it.
#[derive(Clone, Debug)]
pub struct Run {
    /// When it began, in RFC 3339.
    pub started: String,
    /// How long it took.
    pub duration: Duration,
    /// The server as the user named it, in a form that a shell takes.
    pub target: String,
    /// The command that judges it, and what stands behind its options.
    pub command_line: (&'static str, String),
    /// The file of the working directory that is launched, if it is one: a relative path with `/`.
    pub file: Option<String>,
    /// The file that holds the server, where the command names one beyond doubt.
    pub artifact: Option<PathBuf>,
    /// Over which transport.
    pub transport: Transport,
    /// What the server says of itself in `serverInfo`: name and version.
    pub server: Option<(String, String)>,
    /// The options that decide what is run, as a shell takes them.
    pub options: Vec<String>,
    /// Whether only some of the cases were selected.
    pub filtered: bool,
    /// The share of the cases that was run, where several runs divide them.
    pub shard: Option<Shard>,
    /// Whether the run came to its end.
    pub finished: bool,
    /// How many processes were started, or over HTTP, how many sessions were opened; none for what
    /// was recorded.
    pub processes: u32,
    /// The revisions that were asked for.
    pub revisions: Vec<(Revision, Spoken)>,
    /// The verdicts, by revision, newest first, and in the order of the registry.
    pub judgements: Vec<Judgement>,
    /// What is to be said of the server besides, and changes no verdict.
    pub remarks: Vec<String>,
    /// Lines of a recording that could not be read.
    pub unreadable: Vec<Unreadable>,
    /// The failures that are known.
    pub baseline: Option<Baseline>,
}

/// A line of a recording that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
    /// Its beginning, escaped.
    pub text: String,
}

/// How many verdicts there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([usize; Verdict::ALL.len()]);

impl Counts {
    /// Counts the verdicts.
    pub fn of<'a>(judgements: impl IntoIterator<Item = &'a Judgement>) -> Counts {
        judgements
            .into_iter()
            .map(|judgement| judgement.verdict)
            .collect()
    }

    /// How many there are of one kind.
    pub fn get(&self, verdict: Verdict) -> usize {
        self.0[verdict as usize]
    }

    /// How many there are of all kinds.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// How many clauses apply: all but those that are not applicable.
    pub fn applicable(&self) -> usize {
        self.total() - self.get(Verdict::NotApplicable)
    }

    /// How many clauses this run could see, kept or broken.
    pub fn verified(&self) -> usize {
        self.applicable() - self.get(Verdict::Unverified) - self.get(Verdict::Error)
    }

    /// Whether the server conforms: no `fail` and no `error`.
    pub fn conforms(&self) -> bool {
        self.get(Verdict::Fail) + self.get(Verdict::Error) == 0
    }
}

impl FromIterator<Verdict> for Counts {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Counts {
        let mut counts = Counts::default();
        for verdict in verdicts {
            counts.0[verdict as usize] += 1;
        }
        counts
    }
}

/// The flaw of a run that has seen nothing.
pub const NOTHING_VERIFIED: &str = "run/something-verified";

/// What is wrong with a run whatever the verdicts in it are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What should hold, named as a case is.
    pub id: &'static str,
    /// What is wrong, in one sentence: lower case, without a period.
    pub message: String,
    /// The file and the line that it is about, if it is about one.
    pub place: Option<(String, usize)>,
}

impl Run {
    /// The verdicts of one revision.
    pub fn of_revision(&self, revision: Revision) -> impl Iterator<Item = &Judgement> {
        self.judgements
            .iter()
            .filter(move |judgement| judgement.revision == revision)
    }

    /// The revisions that were judged, newest first.
    pub fn judged(&self) -> impl Iterator<Item = Revision> {
        self.revisions
            .iter()
            .filter(|(_, spoken)| *spoken == Spoken::Yes)
            .map(|(revision, _)| *revision)
    }

    /// Whether it judged what was recorded: then nothing was sent, and only rules could judge.
    pub fn is_recorded(&self) -> bool {
        self.processes == 0
    }

    /// The command that runs one case alone in one revision.
    pub fn reproduce(&self, judgement: &Judgement) -> String {
        let mut words = vec!["mcp-conform".to_owned(), self.command_line.0.to_owned()];
        words.extend(["--revision".to_owned(), judgement.revision.to_string()]);
        words.extend(["--case".to_owned(), judgement.case.clause.id.to_owned()]);
        words.extend(self.options.iter().cloned());
        format!("{} {}", words.join(" "), self.command_line.1)
    }

    /// What is wrong with the run itself: if nothing was verified, or it did not come to its end, it
    /// shows nothing; and a baseline has to hold.
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if !self.finished {
            flaws.push(Flaw {
                id: "run/finished",
                message: "the run was cut short: what it did not reach is not judged".to_owned(),
                place: None,
            });
        }
        // A shard to which no case fell had nothing to show.
        let idle = self.shard.is_some() && self.judgements.is_empty();
        if !idle && Counts::of(&self.judgements).verified() == 0 {
            flaws.push(Flaw {
                id: NOTHING_VERIFIED,
                message: "no clause was verified".to_owned(),
                place: None,
            });
        }
        flaws.extend(self.unreadable.iter().map(|line| Flaw {
            id: "run/recording",
            message: format!("{}: `{}`", line.reason, line.text),
            place: Some((line.file.clone(), line.line)),
        }));
        if let Some(baseline) = &self.baseline {
            flaws.extend(baseline.flaws(self));
        }
        flaws
    }

    /// The entry of the baseline that knows what the judgement says is broken.
    pub fn known(&self, judgement: &Judgement) -> Option<&Known> {
        self.baseline.as_ref()?.entry(self, judgement)
    }

    /// The verdicts that are not known.
    pub fn unknown(&self) -> impl Iterator<Item = &Judgement> {
        self.judgements
            .iter()
            .filter(|judgement| self.known(judgement).is_none())
    }

    /// Whether the run is a failure at this threshold.
    pub fn fails(&self, threshold: FailOn) -> bool {
        let counts = Counts::of(self.unknown());
        let shown = counts.conforms() && self.flaws().is_empty();
        match threshold {
            FailOn::Never => false,
            FailOn::Must => !shown,
            FailOn::Should => !shown || counts.get(Verdict::Warn) > 0,
        }
    }
}
