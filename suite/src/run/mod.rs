//! A run: which cases are judged in which revisions, and what came of it.

mod judge;
mod lane;
mod live;
mod plan;
mod shard;
mod verdict;

use std::{path::PathBuf, time::Duration};

use crate::{
    case::Case,
    spec::{Revision, Transport},
    tape::Excerpt,
};

pub use live::{NoServer, Watch, clean_up, run};
pub use plan::{FailOn, Options, Selection, SelectionError};
pub use shard::{NoShard, Shard};
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
    /// The file that holds the server, where the command names one.
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
    /// How many processes were started.
    pub processes: u32,
    /// The revisions that were asked for.
    pub revisions: Vec<(Revision, Spoken)>,
    /// The verdicts, by revision, newest first, and in the order of the registry.
    pub judgements: Vec<Judgement>,
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

    /// The command that runs one case alone in one revision.
    pub fn reproduce(&self, judgement: &Judgement) -> String {
        let mut words = vec!["mcp-conform".to_owned(), "stdio".to_owned()];
        words.extend(["--revision".to_owned(), judgement.revision.to_string()]);
        words.extend(["--case".to_owned(), judgement.case.clause.id.to_owned()]);
        words.extend(self.options.iter().cloned());
        format!("{} -- {}", words.join(" "), self.target)
    }

    /// Whether the run is a failure at this threshold. A run in which nothing was verified, or
    /// that did not come to its end, shows nothing, and is one too; but a shard to which no case
    /// fell had nothing to show.
    pub fn fails(&self, threshold: FailOn) -> bool {
        let counts = Counts::of(&self.judgements);
        let idle = self.shard.is_some() && self.judgements.is_empty();
        let shown = counts.conforms() && (counts.verified() > 0 || idle) && self.finished;
        match threshold {
            FailOn::Never => false,
            FailOn::Must => !shown,
            FailOn::Should => !shown || counts.get(Verdict::Warn) > 0,
        }
    }
}
