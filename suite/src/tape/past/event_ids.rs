//! The ids that events were given, by session.

use std::{
    borrow::Cow,
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use super::super::{Event, Exchange};
use crate::transport::SseFound;

/// So many ids are remembered: of what came later nothing is held against what came after them.
const IDS: usize = 64 * 1024;
/// So many sessions are told apart.
const SESSIONS: usize = 1024;

/// The explicit event ids of a tape so far. Streams that go on with another one are left out, and
/// so is every GET stream of a session but its first: there an event may come again.
#[derive(Debug, Default)]
pub struct EventIds {
    hasher: RandomState,
    /// The exchange of the first event with the id; hashed, for ids may be long.
    seen: HashMap<u64, u32>,
    /// The first GET stream of each session.
    standing: HashMap<u64, u32>,
}

impl EventIds {
    /// Whether ids have been seen.
    pub fn any(&self) -> bool {
        !self.seen.is_empty()
    }

    /// Whether the ids on this stream count.
    pub fn is_counted(&self, exchange: &Exchange) -> bool {
        if exchange.method != "GET" {
            return true;
        }
        let first = self.standing.get(&self.hasher.hash_one(session(exchange)));
        exchange.sent_header("last-event-id").is_none() && first == Some(&exchange.number)
    }

    /// The exchange of an earlier event with this id in the session.
    pub fn stream_of(&self, exchange: &Exchange, id: &str) -> Option<u32> {
        self.seen.get(&self.key(exchange, id)).copied()
    }

    fn key(&self, exchange: &Exchange, id: &str) -> u64 {
        self.hasher.hash_one((session(exchange), id))
    }

    /// Notes an event after rules have seen it, but for the opening of a stream.
    pub(super) fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Opened(exchange) if exchange.is_standing() => {
                let session = self.hasher.hash_one(session(exchange));
                let resumes = exchange.sent_header("last-event-id").is_some();
                if !resumes && self.standing.len() < SESSIONS {
                    self.standing.entry(session).or_insert(exchange.number);
                }
            }
            Event::Found {
                exchange,
                found: SseFound::Event(event),
            } => {
                let id = event.id.as_deref().filter(|id| !id.is_empty());
                if let Some(id) = id
                    && self.seen.len() < IDS
                    && self.is_counted(exchange)
                {
                    let key = self.key(exchange, id);
                    self.seen.entry(key).or_insert(exchange.number);
                }
            }
            _ => {}
        }
    }
}

/// The session that an exchange belongs to: the one that it names, or else the one that it opens.
fn session(exchange: &Exchange) -> Cow<'_, str> {
    match exchange.sent_header("mcp-session-id") {
        Some(named) => Cow::Borrowed(named),
        None => Cow::Owned(exchange.header("mcp-session-id").unwrap_or_default()),
    }
}
