//! Failures that are known: they fail no run. An entry that holds no longer does, so that a
//! baseline only ever says what is so.

mod read;
mod update;

use jiff::civil::Date;

use super::{Flaw, Judgement, Run, Verdict, plan::matches};
use crate::{
    case::Case,
    cases,
    spec::{Revision, Transport},
};

pub use read::BaselineError;
pub use update::Update;

/// The failures that are known, as they stand in a file.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// The file as the user named it.
    pub path: String,
    /// The entries, in the order of the file.
    pub entries: Vec<Known>,
    /// What stands above the entries: comments.
    head: String,
}

/// An entry of a baseline.
#[derive(Clone, Debug)]
pub struct Known {
    /// Which cases: an id, or a glob.
    pub case: String,
    /// In which revision; every one if none is given.
    pub revision: Option<Revision>,
    /// Over which transport; every one if none is given.
    pub transport: Option<Transport>,
    /// Why the failure is put up with.
    pub reason: String,
    /// Where it is worked on.
    pub issue: Option<String>,
    /// The last day, in UTC, on which the entry holds.
    pub expires: Option<Date>,
    /// Where it begins in the file, from 1.
    pub line: usize,
    /// The entry as it stands in the file; none if it has to be written anew.
    text: Option<String>,
}

impl Known {
    /// The reason, and where it is worked on.
    pub fn explained(&self) -> String {
        match &self.issue {
            Some(issue) => format!("{} ({issue})", self.reason),
            None => self.reason.clone(),
        }
    }

    /// Whether the entry speaks of the judgement, whatever its verdict is.
    fn covers(&self, judgement: &Judgement) -> bool {
        self.revision
            .is_none_or(|revision| revision == judgement.revision)
            && self
                .transport
                .is_none_or(|transport| transport == judgement.transport)
            && matches(&self.case, judgement.case.clause.id)
    }

    fn is_expired(&self, run: &Run) -> bool {
        let today = run.started.get(..10).and_then(|day| day.parse().ok());
        matches!((self.expires, today), (Some(last), Some(today)) if last < today)
    }

    /// Whether a case can ever meet the entry.
    fn is_possible(&self) -> bool {
        let meets = |case: &Case| {
            matches(&self.case, case.clause.id)
                && self
                    .revision
                    .is_none_or(|revision| case.clause.holds_in(revision))
                && self
                    .transport
                    .is_none_or(|transport| case.clause.transports.contains(&transport))
        };
        cases::all().any(meets)
    }

    /// The revisions in which what it speaks of passes now; empty while it may still fail: in
    /// another revision, or where this run has not looked.
    fn mended(&self, run: &Run) -> Vec<Revision> {
        let mut revisions = Vec::new();
        for judgement in run
            .judgements
            .iter()
            .filter(|judgement| self.covers(judgement))
        {
            match judgement.verdict {
                Verdict::Pass if !revisions.contains(&judgement.revision) => {
                    revisions.push(judgement.revision);
                }
                Verdict::Pass | Verdict::NotApplicable => {}
                _ => return Vec::new(),
            }
        }
        revisions
    }

    /// What is wrong with the entry, if anything is.
    fn flaw(&self, run: &Run) -> Option<(&'static str, String)> {
        let case = &self.case;
        if !self.is_possible() {
            let told = if cases::all().any(|known| matches(case, known.clause.id)) {
                let revision = self.revision.map(|revision| format!(" in {revision}"));
                let transport = self.transport.map(|transport| format!(" over {transport}"));
                format!(
                    "nothing is judged by `{case}`{}{}",
                    revision.unwrap_or_default(),
                    transport.unwrap_or_default()
                )
            } else {
                let hint = cases::nearest(case)
                    .map_or_else(String::new, |id| format!(" (did you mean `{id}`?)"));
                format!("there is no case `{case}`{hint}")
            };
            return Some((
                "baseline/known-case",
                format!("{told}; mend the entry, or remove it"),
            ));
        }
        let mended = self.mended(run);
        if !mended.is_empty() {
            let revisions: Vec<_> = mended.into_iter().map(Revision::as_str).collect();
            return Some((
                "baseline/still-fails",
                format!(
                    "`{case}` passes now, in {}; remove the entry (--update-baseline does)",
                    revisions.join(", ")
                ),
            ));
        }
        let expires = self.expires.filter(|_| self.is_expired(run))?;
        Some((
            "baseline/not-expired",
            format!(
                "the entry for `{case}` has expired on {expires}; mend the server, or set a later day"
            ),
        ))
    }
}

impl Baseline {
    /// The entry that knows of the judgement. One that has expired knows nothing.
    pub(super) fn entry(&self, run: &Run, judgement: &Judgement) -> Option<&Known> {
        let broken = matches!(
            judgement.verdict,
            Verdict::Fail | Verdict::Error | Verdict::Warn | Verdict::Note
        );
        self.entries
            .iter()
            .filter(|_| broken)
            .find(|entry| entry.covers(judgement) && !entry.is_expired(run))
    }

    /// What is wrong with the entries.
    pub(super) fn flaws(&self, run: &Run) -> Vec<Flaw> {
        self.entries
            .iter()
            .filter_map(|entry| {
                let (id, message) = entry.flaw(run)?;
                Some(Flaw {
                    id,
                    message,
                    place: Some((self.path.clone(), entry.line)),
                })
            })
            .collect()
    }
}
