//! What all sessions of a server over HTTP share.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::bend::{Answered, HttpBends, Place, Scene, Step, Told};
use super::policy::Policy;
use crate::fault::Bends;
use crate::outbox::Outgoing;
use crate::revision::Revision;
use crate::session::Session;

/// How many answers are remembered.
const REMEMBERED: usize = 64;

/// What all sessions share.
#[derive(Debug)]
pub(super) struct Site {
    /// The server's own host and port.
    pub(super) authority: String,
    pub(super) policy: Policy,
    pub(super) bends: HttpBends,
    session_bends: Bends,
    sessions: AtomicU64,
    streams: AtomicU64,
    answered: Mutex<VecDeque<Answered>>,
}

/// What the steps of one exchange have in common.
pub(super) struct Exchange<'a> {
    pub(super) session: u64,
    /// What the client posted.
    pub(super) message: &'a Value,
    pub(super) count: Count,
    pub(super) revision: Option<Revision>,
    pub(super) standalone_open: bool,
}

impl Site {
    pub(super) fn new(
        authority: String,
        policy: Policy,
        bends: HttpBends,
        session_bends: Bends,
    ) -> Self {
        Self {
            authority,
            policy,
            bends,
            session_bends,
            sessions: AtomicU64::new(0),
            streams: AtomicU64::new(0),
            answered: Mutex::default(),
        }
    }

    /// A session, with its number and its id.
    pub(super) fn session(&self) -> io::Result<(u64, String, Session)> {
        let number = self.sessions.fetch_add(1, Ordering::Relaxed);
        let id = (self.policy.session_id)(number)?;
        Ok((number, id, Session::new(self.session_bends.clone())))
    }

    /// The number of a new stream, unlike that of any other.
    pub(super) fn stream(&self) -> u64 {
        self.streams.fetch_add(1, Ordering::Relaxed)
    }

    /// What is to be done with what was said in an exchange, and whether that was all.
    pub(super) fn steps(
        &self,
        exchange: &Exchange<'_>,
        said: Vec<Outgoing>,
        is_all: bool,
    ) -> Vec<Step> {
        let mut steps: Vec<Step> = said.into_iter().map(step).collect();
        if is_all {
            steps.push(Step::End);
        }
        let mut answered = self.answered();
        let id = exchange.message.get("id");
        let twin = answered
            .iter()
            .rev()
            .find(|other| other.session != exchange.session && Some(&other.id) == id);
        let scene = Scene {
            message: exchange.message,
            nth: exchange.count.of_method,
            posted: exchange.count.of_any,
            revision: exchange.revision,
            standalone_open: exchange.standalone_open,
            twin,
        };
        let honest = steps.clone();
        self.bends.steps(&scene, &mut steps);
        remember(&mut answered, exchange, honest);
        steps
    }

    /// The JSON of a message.
    pub(super) fn text(&self, message: &Value) -> String {
        self.session_bends.text(message)
    }

    /// The bytes of an event.
    pub(super) fn event(&self, told: &Told<'_>, mut bytes: Vec<u8>) -> Vec<u8> {
        self.bends.event(told, &mut bytes);
        bytes
    }

    fn answered(&self) -> MutexGuard<'_, VecDeque<Answered>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn step(said: Outgoing) -> Step {
    match said {
        Outgoing::Release => Step::Release,
        Outgoing::Message {
            message,
            relates_to,
        } => {
            // Answers belong to the post that they answer even where they have no id, as
            // arrays and refusals do.
            let is_answer = message.get("method").is_none();
            let place = if is_answer || relates_to.is_some() {
                Place::Own
            } else {
                Place::Standalone
            };
            Step::Say(place, message)
        }
    }
}

fn remember(answered: &mut VecDeque<Answered>, exchange: &Exchange<'_>, steps: Vec<Step>) {
    let Some(id) = exchange.message.get("id") else {
        return;
    };
    for step in steps {
        let Step::Say(_, response) = step else {
            continue;
        };
        if response.get("method").is_some() {
            continue;
        }
        if answered.len() == REMEMBERED {
            answered.pop_front();
        }
        answered.push_back(Answered {
            session: exchange.session,
            id: id.clone(),
            method: exchange.message["method"].clone(),
            response,
            standalone_open: exchange.standalone_open,
        });
    }
}

/// How many requests of each method a session has posted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    by_method: HashMap<String, u64>,
    of_any: u64,
}

/// Where a message stands among those that its session has posted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    /// Which one of its method it is, from 1; zero without a method.
    pub(super) of_method: u64,
    /// Which one it is at all, from 1.
    pub(super) of_any: u64,
}

impl Tally {
    /// Counts a message.
    pub(super) fn count(&mut self, message: &Value) -> Count {
        self.of_any += 1;
        let of_method = message["method"].as_str().map_or(0, |method| {
            let count = self.by_method.entry(method.to_owned()).or_default();
            *count += 1;
            *count
        });
        Count {
            of_method,
            of_any: self.of_any,
        }
    }
}
