//! The clauses that have no case: those that bind clients, and those that no run can see. They keep
//! their ids, and stand in `docs/coverage.md`.

mod http_sse;
mod jsonrpc;
mod lifecycle;
mod stdio;
mod streamable_http;
mod utilities;

use crate::spec::Revision;

/// A clause without a case.
#[derive(Debug)]
pub struct Unjudged {
    /// Its id in the catalogue.
    pub id: &'static str,
    /// The duty in under 70 characters.
    pub title: &'static str,
    /// The first revision in which it holds.
    pub since: Revision,
    /// The last revision in which it holds.
    pub until: Revision,
    /// Why no run can see it; none for a clause that binds clients.
    pub unseen: Option<&'static str>,
}

impl Unjudged {
    /// The part of the id in front of the slash.
    pub fn area(&self) -> &'static str {
        self.id.split_once('/').map_or(self.id, |(area, _)| area)
    }

    /// Whether the clause is part of `revision`.
    pub fn holds_in(&self, revision: Revision) -> bool {
        (self.since..=self.until).contains(&revision)
    }
}

const AREAS: &[&[Unjudged]] = &[
    stdio::CLAUSES,
    http_sse::CLAUSES,
    streamable_http::CLAUSES,
    jsonrpc::CLAUSES,
    lifecycle::CLAUSES,
    utilities::CLAUSES,
];

/// Every clause without a case, area by area.
pub fn unjudged() -> impl Iterator<Item = &'static Unjudged> {
    AREAS.iter().flat_map(|area| area.iter())
}
