//! What got better and what got worse from one report to another.

mod human;
mod json;
mod markdown;

use std::collections::HashMap;

use super::{
    Standing,
    read::{CaseResult, Report},
    text::counted,
};
use crate::{
    run::{Counts, Verdict},
    spec::{Revision, Transport},
};

pub use human::human;
pub use json::json;
pub use markdown::markdown;

/// What became of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is graver than before, or a pass that nobody can see any more.
    Worse,
    /// It is less grave.
    Better,
    /// There was none before.
    New,
    /// There is none any more.
    Gone,
}

impl Kind {
    /// Every kind, in the order in which they are told.
    pub const ALL: [Kind; 4] = [Kind::Worse, Kind::Better, Kind::New, Kind::Gone];

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Worse => "worse",
            Kind::Better => "better",
            Kind::New => "new",
            Kind::Gone => "gone",
        }
    }

    /// What became of `old`, now `new`; nothing if they are alike.
    fn of(old: Verdict, new: Verdict) -> Option<Kind> {
        use Verdict::{NotApplicable, Unverified};
        match (old, new) {
            _ if old == new => None,
            // The clause has come to bind the server, or does so no longer.
            (NotApplicable, _) if gravity(new) > 0 && new != Unverified => Some(Kind::Worse),
            (NotApplicable, _) => Some(Kind::New),
            (_, NotApplicable) => Some(Kind::Gone),
            // What was broken and cannot be seen is not mended.
            (_, Unverified) if gravity(old) > gravity(Unverified) => Some(Kind::Gone),
            _ if gravity(new) > gravity(old) => Some(Kind::Worse),
            _ => Some(Kind::Better),
        }
    }
}

/// How far the verdict is from a pass.
fn gravity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass | Verdict::NotApplicable => 0,
        Verdict::Note => 1,
        Verdict::Unverified => 2,
        Verdict::Warn => 3,
        Verdict::Error => 4,
        Verdict::Fail => 5,
    }
}

/// One case in one revision over one transport whose verdict is another one.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// What became of it.
    pub kind: Kind,
    /// The verdict before.
    pub old: Option<Verdict>,
    /// The verdict now.
    pub new: Option<Verdict>,
    /// The newer of the two results.
    pub result: &'a CaseResult,
}

/// A revision that one report judges over a transport, and the other does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The revision.
    pub revision: Revision,
    /// The transport.
    pub transport: Transport,
    /// How the server stood before.
    pub old: Standing,
    /// How it stands now.
    pub new: Standing,
}

impl Spoken {
    /// What became of the revision.
    pub fn kind(self) -> Kind {
        if self.new == Standing::NotSpoken {
            Kind::Worse
        } else {
            Kind::New
        }
    }
}

/// Two reports, or two sets of them, side by side.
#[derive(Clone, Debug)]
pub struct Diff<'a> {
    /// The older ones.
    pub old: &'a [Report],
    /// The newer ones.
    pub new: &'a [Report],
    /// Revisions that the server has begun or ceased to speak.
    pub spoken: Vec<Spoken>,
    /// The verdicts that are others, in the order of the newer report.
    pub changes: Vec<Change<'a>>,
    /// How many verdicts are as they were.
    pub unchanged: Counts,
    /// How many verdicts only one side could have, since the other left cases or revisions out.
    pub not_compared: usize,
}

type Key<'a> = (&'a str, Revision, Transport);

fn key(result: &CaseResult) -> Key<'_> {
    (&result.case, result.revision, result.transport)
}

fn results(reports: &[Report]) -> impl Iterator<Item = &CaseResult> {
    reports.iter().flat_map(|report| &report.results)
}

/// How the server stands in a revision over a transport; none if that was not asked for.
fn standing(reports: &[Report], revision: Revision, transport: Transport) -> Option<Standing> {
    let asked = |report: &&Report| {
        report.transport == transport
            && report
                .revisions
                .iter()
                .any(|entry| entry.revision == revision)
    };
    let report = reports.iter().find(asked)?;
    Some(report.standing(revision))
}

/// Whether the reports would hold the case if it was part of the catalogue.
fn covers(reports: &[Report], result: &CaseResult) -> bool {
    reports.iter().any(|report| {
        report.transport == result.transport
            && !report.filtered
            && !report.is_recorded()
            && report.shard.is_none()
            && report.finished
            && report
                .revisions
                .iter()
                .any(|entry| entry.revision == result.revision)
    })
}

impl<'a> Diff<'a> {
    /// Compares.
    pub fn of(old: &'a [Report], new: &'a [Report]) -> Diff<'a> {
        let mut diff = Diff {
            old,
            new,
            spoken: spoken(old, new),
            changes: Vec::new(),
            unchanged: Counts::default(),
            not_compared: 0,
        };
        let mut before: HashMap<Key<'_>, &CaseResult> = HashMap::new();
        before.extend(results(old).map(|result| (key(result), result)));
        let mut unchanged = Vec::new();
        for result in results(new) {
            match before.remove(&key(result)) {
                Some(old) => match Kind::of(old.verdict, result.verdict) {
                    Some(kind) => diff.changes.push(Change {
                        kind,
                        old: Some(old.verdict),
                        new: Some(result.verdict),
                        result,
                    }),
                    None => unchanged.push(result.verdict),
                },
                None => diff.lonely(Kind::New, result),
            }
        }
        for result in results(old).filter(|result| before.contains_key(&key(result))) {
            diff.lonely(Kind::Gone, result);
        }
        diff.unchanged = unchanged.into_iter().collect();
        diff
    }

    /// A verdict that one side has and the other has not.
    fn lonely(&mut self, kind: Kind, result: &'a CaseResult) {
        let (verdict, other) = (
            Some(result.verdict),
            if kind == Kind::New {
                self.old
            } else {
                self.new
            },
        );
        if !covers(other, result) {
            self.not_compared += 1;
            return;
        }
        let (old, new) = match kind {
            Kind::New => (None, verdict),
            _ => (verdict, None),
        };
        self.changes.push(Change {
            kind,
            old,
            new,
            result,
        });
    }

    /// How many verdicts and revisions are of this kind.
    pub fn count(&self, kind: Kind) -> usize {
        let changes = self.changes.iter().filter(|change| change.kind == kind);
        let spoken = self.spoken.iter().filter(|spoken| spoken.kind() == kind);
        changes.count() + spoken.count()
    }

    /// Whether anything got worse.
    pub fn is_worse(&self) -> bool {
        self.count(Kind::Worse) > 0
    }

    /// The totals in one line.
    fn totals(&self) -> String {
        let kinds = Kind::ALL.map(|kind| format!("{} {}", self.count(kind), kind.as_str()));
        let mut line = format!("{}; {} unchanged", kinds.join(", "), self.unchanged.total());
        let broken: Vec<_> = [
            (Verdict::Fail, "failure", "failures"),
            (Verdict::Error, "error", "errors"),
            (Verdict::Warn, "warning", "warnings"),
        ]
        .into_iter()
        .map(|(verdict, one, many)| (self.unchanged.get(verdict), one, many))
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| counted(count, one, many))
        .collect();
        if !broken.is_empty() {
            line += &format!(" ({})", broken.join(", "));
        }
        if self.not_compared > 0 {
            line += &format!("; {} not compared", self.not_compared);
        }
        line
    }
}

/// The revisions that the server has begun or ceased to speak.
fn spoken(old: &[Report], new: &[Report]) -> Vec<Spoken> {
    let mut found = Vec::new();
    for report in new {
        for entry in &report.revisions {
            let (revision, transport) = (entry.revision, report.transport);
            let Some(before) = standing(old, revision, transport) else {
                continue;
            };
            let now = report.standing(revision);
            if (before == Standing::NotSpoken) != (now == Standing::NotSpoken) {
                found.push(Spoken {
                    revision,
                    transport,
                    old: before,
                    new: now,
                });
            }
        }
    }
    found
}

/// Changes of one case that are told as one: what became of it is the same in all of them.
struct Group<'a> {
    first: &'a Change<'a>,
    revisions: Vec<Revision>,
}

impl<'a> Group<'a> {
    /// The changes of a kind, those that are nothing but passes apart: so many they are.
    fn all(diff: &'a Diff<'a>, kind: Kind) -> (Vec<Group<'a>>, usize) {
        let mut groups: Vec<Group<'a>> = Vec::new();
        let mut quiet = 0;
        for change in diff.changes.iter().filter(|change| change.kind == kind) {
            let lonely = matches!(kind, Kind::New | Kind::Gone);
            let grave = [change.old, change.new].into_iter().flatten().map(gravity);
            if lonely && grave.max() == Some(0) {
                quiet += 1;
                continue;
            }
            let alike = |group: &&mut Group<'_>| {
                let first = group.first;
                (first.result.case == change.result.case)
                    && first.result.transport == change.result.transport
                    && (first.old, first.new) == (change.old, change.new)
            };
            match groups.iter_mut().find(alike) {
                Some(group) => group.revisions.push(change.result.revision),
                None => groups.push(Group {
                    first: change,
                    revisions: vec![change.result.revision],
                }),
            }
        }
        (groups, quiet)
    }

    fn revisions(&self) -> String {
        let revisions: Vec<_> = self.revisions.iter().map(|r| r.as_str()).collect();
        revisions.join(", ")
    }

    /// What the result says, unless it is the one that is gone.
    fn message(&self) -> Option<&'a str> {
        let now = self
            .first
            .new
            .is_some_and(|verdict| verdict != Verdict::Pass);
        self.first.result.message.as_deref().filter(|_| now)
    }
}

/// The verdict, or that there is none.
fn word(verdict: Option<Verdict>) -> String {
    verdict.map_or_else(|| "none".to_owned(), |verdict| verdict.to_string())
}

/// The verdicts that are not worth a line of their own.
fn more(count: usize, behind_others: bool) -> String {
    let also = if behind_others { "and " } else { "" };
    format!("{also}{count} that passed, or did not apply")
}

/// How the revision stands now, in a sentence without its end.
fn sentence(spoken: Spoken) -> String {
    let Spoken {
        revision,
        transport,
        ..
    } = spoken;
    match spoken.new {
        Standing::NotSpoken => format!("{revision} over {transport} is no longer spoken"),
        Standing::Breaks => format!("{revision} over {transport} is spoken now, and broken"),
        Standing::Conforms => format!("{revision} over {transport} is spoken now, and kept"),
        Standing::Untold => format!("{revision} over {transport} is spoken now"),
    }
}
