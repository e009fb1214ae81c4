//! The words that a case is written in. `docs/adding-a-case.md` shows how to add one.

use std::{future::Future, pin::Pin};

use crate::{
    session::Broken,
    spec::{Advice, Clause},
    tape::{Event, Excerpt, Past, says_nothing},
};

pub use crate::talk::Talk;

/// What a probe may ruin, and so in which session it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Well-formed traffic: one session serves all of these, and is left whole.
    Shared,
    /// As [`Stage::Shared`], after all others: whatever comes from then on is its doing.
    Last,
    /// The session is opened by the case itself; it is whole if the case does not fail.
    Opening,
    /// The session may break; then the next case gets a new one.
    Rough,
    /// A process of its own, which the case ends.
    Own,
    /// An open session that the cases with one label share: a scene that the first one plays
    /// serves them all. For what takes its time, or wants a client of another manner.
    Together(&'static str),
    /// A session that nobody has opened. The cases with one label share it, in their order; a
    /// scene that the first one plays serves them all.
    Unopened(&'static str),
    /// As [`Stage::Unopened`], for what does not depend on the revision: it is done once in a
    /// run, and counts in every revision.
    Once(&'static str),
}

/// What a case is about: the duty kept, in a word for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// It does something and looks at what comes back.
    Probe,
    /// It only reads what was said.
    Rule,
    /// It provokes something, and reads all that was said.
    Both,
}

impl Nature {
    /// The word in `list` and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Nature::Probe => "probe",
            Nature::Rule => "rule",
            Nature::Both => "both",
        }
    }
}

/// The future of a probe. Sessions live on one thread, hence no `Send`.
pub type Probing<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + 'a>>;

/// Environment variables that a remark sets for its process.
pub type Env = &'static [(&'static str, &'static str)];

/// What a probe does.
pub type Probe = for<'a> fn(&'a Talk) -> Probing<'a>;

/// A judgement over recorded traffic, pure over one event and the bounded past.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Whether the event is one that the clause speaks of.
    pub subject: fn(&Event<'_>, &Past) -> bool,
    /// Whether the event keeps the clause; asked of subjects only.
    pub holds: fn(&Event<'_>, &Past) -> Result<(), Stop>,
    /// Why a run without a subject cannot tell.
    pub unseen: &'static str,
}

/// One clause and how it is judged.
#[derive(Debug)]
pub struct Case {
    /// The clause.
    pub clause: Clause,
    /// What a server's author needs besides.
    pub advice: Advice,
    pub(crate) probe: Option<(Stage, Probe)>,
    pub(crate) rule: Option<Rule>,
    pub(crate) remark: Option<(Env, Probe)>,
}

impl Case {
    /// A case that does something and looks at what comes back.
    pub(crate) const fn probe(clause: Clause, advice: Advice, stage: Stage, probe: Probe) -> Case {
        clause.check();
        Case {
            clause,
            advice,
            probe: Some((stage, probe)),
            rule: None,
            remark: None,
        }
    }

    /// A case that only reads what was said.
    pub(crate) const fn rule(clause: Clause, advice: Advice, rule: Rule) -> Case {
        clause.check();
        Case {
            clause,
            advice,
            probe: None,
            rule: Some(rule),
            remark: None,
        }
    }

    /// The same case, judged by a rule besides.
    pub(crate) const fn with_rule(self, rule: Rule) -> Case {
        Case {
            rule: Some(rule),
            ..self
        }
    }

    /// The same case with a look at something that adds a remark and never changes the verdict.
    /// It runs once, in the newest revision, in a process of its own to which nothing has been said.
    pub(crate) const fn with_remark(self, env: Env, remark: Probe) -> Case {
        Case {
            remark: Some((env, remark)),
            ..self
        }
    }

    /// Whether the case is about what is said, and not only about how it travels: the streams of
    /// Streamable HTTP depend on it.
    pub(crate) fn is_about_messages(&self) -> bool {
        !matches!(self.clause.area(), "stdio" | "http-sse")
    }

    /// What the probe may ruin, if there is one.
    pub(crate) fn stage(&self) -> Option<Stage> {
        self.probe.map(|(stage, _)| stage)
    }

    /// How the case judges.
    pub fn nature(&self) -> Nature {
        match (&self.probe, &self.rule) {
            (Some(_), Some(_)) => Nature::Both,
            (None, Some(_)) => Nature::Rule,
            (_, None) => Nature::Probe,
        }
    }
}

/// A clause was broken: what is said of it.
#[derive(Clone, Debug, Default)]
pub struct Violation {
    /// What is wrong, in one sentence: expected and actual, lower case, without a period.
    pub message: String,
    /// What shows it, besides what the case itself sent and got.
    pub evidence: Vec<Excerpt>,
    /// What was expected and what came, where the two are compared.
    pub compared: Option<(String, String)>,
}

/// Why a case stops before its end. `?` means "that is the verdict".
#[derive(Clone, Debug)]
pub enum Stop {
    /// The clause was broken: fail, warn or note by its level.
    Violated(Box<Violation>),
    /// This run cannot tell, for this reason.
    Unverified(String),
    /// The server does not do or declare what the clause is about.
    NotApplicable(String),
    /// The case could not finish: verdict `error`.
    Broke(Broken),
    /// The session was broken by another case.
    Interrupted,
    /// What was provoked is for the rule of the case to judge.
    LeftToRule,
}

impl From<Broken> for Stop {
    /// A refusal for want of credentials, or because the server is too busy, says nothing.
    fn from(broken: Broken) -> Stop {
        match &broken {
            Broken::Refused { status, .. } if says_nothing(*status) => {
                Stop::Unverified(format!("the server answers with HTTP status {status}"))
            }
            _ => Stop::Broke(broken),
        }
    }
}

impl From<Violation> for Stop {
    fn from(violation: Violation) -> Stop {
        Stop::Violated(Box::new(violation))
    }
}

/// The clause was broken.
pub fn violated<T>(message: impl Into<String>) -> Result<T, Stop> {
    Err(Violation {
        message: message.into(),
        ..Violation::default()
    }
    .into())
}

/// The clause was broken, and this shows it.
pub fn violated_by<T>(message: impl Into<String>, evidence: Vec<Excerpt>) -> Result<T, Stop> {
    Err(Violation {
        message: message.into(),
        evidence,
        compared: None,
    }
    .into())
}

/// The clause was broken: something else came than was expected.
pub fn differs<T>(
    message: impl Into<String>,
    expected: impl Into<String>,
    actual: impl Into<String>,
) -> Result<T, Stop> {
    Err(Violation {
        message: message.into(),
        evidence: Vec::new(),
        compared: Some((expected.into(), actual.into())),
    }
    .into())
}

/// The server does not do or declare what the clause is about.
pub fn not_applicable<T>(reason: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::NotApplicable(reason.into()))
}

/// What was provoked is for the rule of the case to judge.
pub fn left_to_rule<T>() -> Result<T, Stop> {
    Err(Stop::LeftToRule)
}

/// This run cannot tell.
pub fn unverified<T>(reason: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Unverified(reason.into()))
}
