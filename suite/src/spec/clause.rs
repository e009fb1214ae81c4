use std::fmt;

use super::{Level, Revision, Transport};

/// Something that must hold of a server before a clause applies to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The server declares the capability, written as a path (`tools.listChanged`).
    Declared(&'static str),
    /// The run may do, or has seen, what this name says (`slow-tool`, `event-ids`). The probe
    /// itself tells a run in which it does not hold.
    Met(&'static str),
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gate::Declared(name) | Gate::Met(name) => f.pad(name),
        }
    }
}

/// One normative statement of the specification that binds servers.
#[derive(Debug)]
pub struct Clause {
    /// `area/slug`, stable for ever: it states the duty kept.
    pub id: &'static str,
    /// The duty in under 70 characters.
    pub title: &'static str,
    /// The duty precisely enough to argue a verdict from, in our own words.
    pub statement: &'static str,
    /// How strongly it binds, in the newest revision in which it holds. For cases to write only:
    /// it is read with [`Clause::level_in`], or told with [`Clause::binding`].
    pub(crate) level: Level,
    /// The revisions in which it binds otherwise.
    pub(crate) levels: &'static [(Revision, Level)],
    /// The first revision in which it holds.
    pub since: Revision,
    /// The last revision in which it holds.
    pub until: Revision,
    /// Where it applies.
    pub transports: &'static [Transport],
    /// What must hold of the server; every entry.
    pub needs: &'static [Gate],
    /// `page#fragment` below `specification/<revision>/`; each holds until the next one.
    pub anchors: &'static [(Revision, &'static str)],
    /// The fault of the reference server that breaks this clause.
    pub fault: &'static str,
}

impl Clause {
    /// Refuses a malformed clause at compile time (cases call it from const constructors).
    pub(crate) const fn check(&self) {
        assert!(
            self.since as u8 <= self.until as u8,
            "`since` stands after `until`"
        );
        assert!(!self.anchors.is_empty(), "a clause needs an anchor");
        assert!(
            self.anchors[0].0 as u8 == self.since as u8,
            "the first anchor belongs to `since`"
        );
        assert!(!self.transports.is_empty(), "a clause needs a transport");
        assert!(!self.fault.is_empty(), "a clause needs a fault");
        let id = self.id.as_bytes();
        let (mut at, mut slashes) = (0, 0);
        while at < id.len() {
            match id[at] {
                b'/' => slashes += 1,
                b'a'..=b'z' | b'0'..=b'9' | b'-' => {}
                _ => panic!("an id is kebab-case"),
            }
            at += 1;
        }
        assert!(slashes == 1, "an id is `area/slug`");
    }

    /// The part of the id in front of the slash.
    pub fn area(&self) -> &'static str {
        self.id.split_once('/').map_or(self.id, |(area, _)| area)
    }

    /// Whether the clause is part of `revision`.
    pub fn holds_in(&self, revision: Revision) -> bool {
        (self.since..=self.until).contains(&revision)
    }

    /// Whether the clause is judged in a run of `revision` over `transport`. The clauses of
    /// HTTP+SSE stay those of 2024-11-05 whatever revision is spoken over it.
    pub fn applies_in(&self, revision: Revision, transport: Transport) -> bool {
        let relic = self.transports == [Transport::HttpSse] && self.until == Revision::V2024_11_05;
        self.transports.contains(&transport) && (relic || self.holds_in(revision))
    }

    /// How strongly the clause binds in `revision`.
    pub fn level_in(&self, revision: Revision) -> Level {
        let exception = self.levels.iter().find(|(other, _)| *other == revision);
        exception.map_or(self.level, |(_, level)| *level)
    }

    /// How strongly the clause binds, for people: `MUST`, or where older revisions bind otherwise,
    /// `MUST (SHOULD until 2025-03-26)`.
    pub fn binding(&self) -> String {
        let revisions: Vec<Revision> = self.revisions().collect();
        let older: Vec<String> = revisions
            .windows(2)
            .filter(|pair| self.level_in(pair[0]) != self.level_in(pair[1]))
            .map(|pair| format!("{} until {}", self.level_in(pair[0]), pair[0]))
            .collect();
        let newest = self.level_in(self.until);
        if older.is_empty() {
            newest.to_string()
        } else {
            format!("{newest} ({})", older.join(", "))
        }
    }

    /// The revisions in which the clause holds, oldest first.
    pub fn revisions(&self) -> impl Iterator<Item = Revision> {
        Revision::ALL
            .into_iter()
            .filter(|&revision| self.holds_in(revision))
    }

    /// `page#fragment` of the clause in `revision`.
    pub fn anchor(&self, revision: Revision) -> &'static str {
        self.anchors
            .iter()
            .rev()
            .find(|(from, _)| *from <= revision)
            .unwrap_or(&self.anchors[0])
            .1
    }

    /// The address of the section that the clause comes from.
    pub fn link(&self, revision: Revision) -> String {
        format!(
            "https://modelcontextprotocol.io/specification/{revision}/{}",
            self.anchor(revision)
        )
    }
}

/// What a server's author needs besides the clause itself.
#[derive(Debug)]
pub struct Advice {
    /// Why the duty matters: what breaks without it.
    pub why: &'static str,
    /// How the case looks at it.
    pub how: &'static str,
    /// How to mend a server that fails.
    pub mend: &'static str,
}
