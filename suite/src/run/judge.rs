use std::{cell::RefCell, rc::Rc, time::Duration};

use super::verdict::{Outcome, Verdict};
use crate::{
    case::{Case, Rule, Stop, Violation},
    session::Observer,
    spec::{Clause, Level, Revision, Transport},
    tape::{Event, Past},
};

/// What the rules have come to in one revision, over all of its sessions.
#[derive(Debug)]
pub(super) struct Findings {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    case: &'static Case,
    rule: Rule,
    about_bytes: bool,
    subjects: u64,
    violations: u64,
    /// The first violation of the session that stands first in the plan, so that the evidence
    /// does not depend on which session was faster.
    first: Option<(usize, Violation)>,
    /// How strongly the clause binds in the revision in which it was broken.
    level: Option<Level>,
}

impl Findings {
    pub(super) fn new(cases: impl Iterator<Item = &'static Case>) -> Rc<RefCell<Findings>> {
        let entries = cases
            .filter_map(|case| {
                case.rule.map(|rule| Entry {
                    case,
                    rule,
                    about_bytes: is_about_bytes(case),
                    subjects: 0,
                    violations: 0,
                    first: None,
                    level: None,
                })
            })
            .collect();
        Rc::new(RefCell::new(Findings { entries }))
    }

    /// Rules about bytes see an event only where those were recorded.
    fn see(&mut self, lane: usize, event: &Event<'_>, past: &Past, bytes: bool) {
        for entry in &mut self.entries {
            if entry.about_bytes && !bytes {
                continue;
            }
            if !(entry.rule.subject)(event, past) {
                continue;
            }
            entry.subjects += 1;
            if let Err(Stop::Violated(mut violation)) = (entry.rule.holds)(event, past) {
                entry.violations += 1;
                entry.level = Some(entry.case.clause.level_in(past.revision));
                if entry.first.as_ref().is_none_or(|(first, _)| lane < *first) {
                    // What was said last to the server belongs to what it said.
                    violation.evidence.splice(0..0, past.sent.clone());
                    violation.evidence.sort_by_key(|excerpt| excerpt.at);
                    entry.first = Some((lane, *violation));
                }
            }
        }
    }

    /// What the rule of `case` has come to; none if it has no rule.
    pub(super) fn outcome(&self, case: &Case) -> Option<Outcome> {
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.case.clause.id == case.clause.id)?;
        Some(match &entry.first {
            Some((_, violation)) => Outcome::Broken(violation.clone()),
            None if entry.subjects == 0 => Outcome::Unseen(entry.rule.unseen.to_owned()),
            None => Outcome::Kept,
        })
    }

    /// The first clause of the highest level that a rule found broken.
    pub(super) fn gravest(&self) -> Option<&'static Clause> {
        let broken = self.entries.iter().filter_map(|entry| {
            let level = entry.level?;
            Some((&entry.case.clause, Verdict::of_violation(level)))
        });
        let gravest = broken.min_by_key(|(_, verdict)| *verdict as usize);
        gravest.map(|(clause, _)| clause)
    }

    /// The first clause that a rule found broken, in the order of the registry.
    pub(super) fn broken(&self) -> Option<&'static str> {
        let broken = self.entries.iter().find(|entry| entry.first.is_some());
        broken.map(|entry| entry.case.clause.id)
    }
}

/// Whether the case is about the bytes of a transport, and not about messages.
pub(super) fn is_about_bytes(case: &Case) -> bool {
    let area = case.clause.area();
    Transport::ALL.iter().any(|one| one.as_str() == area)
}

/// Lets the rules see one session.
pub(crate) struct Judge {
    lane: usize,
    bytes: bool,
    past: Past,
    findings: Rc<RefCell<Findings>>,
}

impl Judge {
    /// For one session, which leads the others of its revision or does not.
    pub(super) fn new(
        lane: usize,
        leads: bool,
        revision: Revision,
        findings: Rc<RefCell<Findings>>,
    ) -> Judge {
        let mut past = Past::new(revision);
        past.leading = leads;
        Judge {
            lane,
            bytes: true,
            past,
            findings,
        }
    }

    /// The same for a session of which messages were recorded, and perhaps not all of them.
    pub(super) fn of_messages(self) -> Judge {
        let mut past = Past::unknown(self.past.revision);
        past.leading = self.past.leading;
        Judge {
            bytes: false,
            past,
            ..self
        }
    }

    /// Notes that the client may have said something that nobody can read.
    pub(super) fn garbled(&mut self) {
        self.past.malformed = true;
    }

    pub(super) fn past(&self) -> &Past {
        &self.past
    }

    pub(super) fn observer(
        (lane, leads): (usize, bool),
        revision: Revision,
        findings: Rc<RefCell<Findings>>,
    ) -> Rc<RefCell<dyn Observer>> {
        Rc::new(RefCell::new(Judge::new(lane, leads, revision, findings)))
    }
}

impl Observer for Judge {
    fn see(&mut self, event: &Event<'_>, at: Duration) {
        self.past.before(event, at);
        // What is said under another revision is judged where that one is asked for.
        let revised = matches!(
            event,
            Event::Message(_)
                | Event::Opened(_)
                | Event::Body { .. }
                | Event::Found { .. }
                | Event::Closed { .. }
        );
        // Bare messages are judged by the revision that was told, or agreed on.
        let foreign = self.past.foreign && self.bytes;
        let elsewhere = self.past.replayed || foreign && revised;
        if !elsewhere {
            let mut findings = self.findings.borrow_mut();
            findings.see(self.lane, event, &self.past, self.bytes);
        }
        self.past.after(event);
    }

    fn leads(&self) -> bool {
        self.past.leading
    }

    fn in_flight(&self) -> usize {
        self.past.client.open()
    }

    fn judges(&self) -> bool {
        !self.findings.borrow().entries.is_empty()
    }
}
