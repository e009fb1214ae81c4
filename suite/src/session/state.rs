use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::oneshot, time::Instant};

use crate::tape::{Excerpt, Exchange, Id, Lines, Message, Stderr};

/// How many strays, arrays and damaged lines are kept; the rest is counted by the rules.
const KEPT: usize = 256;
/// How many requests and notifications of the server are kept.
const HEARD: usize = 4096;
/// A longer stray is kept only among the first.
const LONG_STRAY: u64 = 16 * 1024;

/// A response to one of our requests.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) message: Message,
    pub(crate) at: Duration,
}

/// A response that answers none of our requests.
#[derive(Clone, Debug)]
pub(crate) struct Stray {
    pub(crate) message: Message,
    pub(crate) at: Duration,
}

/// A line, or an event, that no client can read as a message.
#[derive(Clone, Debug)]
pub(crate) struct Damage {
    /// The clause that owns it.
    pub(crate) clause: &'static str,
    pub(crate) excerpt: Excerpt,
}

/// What has been read of a session so far, bounded.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) lines: Lines,
    pub(super) waiting: HashMap<Id, oneshot::Sender<Answer>>,
    /// How long the slowest answer to a ping took.
    pub(crate) slowest: Duration,
    /// The requests that we have cancelled: nobody owes an answer to them.
    pub(crate) cancelled: HashSet<Id>,
    /// Every id that we have used: an answer to one of them is no stray.
    asked: HashSet<Id>,
    pub(crate) strays: Vec<Stray>,
    /// Responses to requests of ours that had been answered.
    pub(crate) repeats: Vec<Stray>,
    /// Requests and notifications of the server.
    pub(crate) heard: Vec<(Duration, Message)>,
    /// Lines that were arrays.
    pub(crate) arrays: Vec<Excerpt>,
    pub(crate) damage: Vec<Damage>,
    /// How many messages have been read.
    pub(crate) messages: u64,
    /// Whether something was read that means to be a message and is none (in UTF-16, say).
    pub(crate) garbled: bool,
    /// When the last answer to one of our requests came.
    pub(crate) last_answer: Option<Instant>,
    pub(crate) ended: bool,
    /// Why a session over HTTP has ended.
    pub(crate) closed: Option<String>,
    /// Whether a post of a request has been answered by a stream.
    pub(crate) streamed: bool,
    /// When the server last said that it is too busy for a request.
    pub(crate) busy: Option<Duration>,
    /// The event streams that are open.
    pub(crate) streams: Vec<Rc<Exchange>>,
    pub(crate) stderr_ended: bool,
    pub(crate) stderr: Stderr,
    pub(crate) flood: Option<String>,
    /// Whether the process is being killed while stdout is open.
    pub(crate) cut: bool,
    pub(crate) slow: Option<Duration>,
    pub(crate) initialized: Option<Value>,
    /// Answers to the server's own requests that are still being written.
    pub(crate) answering: usize,
}

impl State {
    pub(crate) fn expect(&mut self, id: Id, sender: oneshot::Sender<Answer>) {
        self.asked.insert(id.clone());
        self.waiting.insert(id, sender);
    }

    /// Whether the request is unanswered.
    pub(crate) fn awaits(&self, id: &Id) -> bool {
        self.waiting.contains_key(id)
    }

    /// Whether a response to the request is still of use: it is awaited, and was not cancelled.
    pub(crate) fn wants(&self, id: &Id) -> bool {
        self.awaits(id) && !self.cancelled.contains(id)
    }

    /// Hands a response to whoever waits for it.
    pub(crate) fn answered(&mut self, message: Message, at: Duration) {
        let waiting = message.id.as_ref().and_then(|id| self.waiting.remove(id));
        match waiting {
            // Whoever waited may have given up: then the answer is late, and no matter.
            Some(sender) => {
                self.last_answer = Some(Instant::now());
                drop(sender.send(Answer { message, at }));
            }
            None => {
                let ours = message
                    .id
                    .as_ref()
                    .is_some_and(|id| self.asked.contains(id));
                // What refuses a post over HTTP is told with the post.
                let repeats = ours && !message.is_refusal();
                let ours = ours || message.is_refusal();
                // Long ones are few, or memory would not be bounded.
                let room = if message.len() > LONG_STRAY { 4 } else { KEPT };
                if repeats && self.repeats.len() < room {
                    self.repeats.push(Stray { message, at });
                } else if !ours && self.strays.len() < room {
                    self.strays.push(Stray { message, at });
                }
            }
        }
    }

    /// Keeps a request or notification of the server.
    pub(crate) fn overheard(&mut self, message: &Message, at: Duration) {
        let room = if message.len() > LONG_STRAY { 4 } else { HEARD };
        if self.heard.len() < room {
            self.heard.push((at, message.clone()));
        }
    }

    pub(crate) fn damaged(&mut self, clause: &'static str, excerpt: Excerpt) {
        let letters: Vec<u8> = excerpt
            .text
            .iter()
            .copied()
            .filter(|byte| *byte != 0)
            .collect();
        self.garbled |= letters.windows(7).any(|window| window == b"jsonrpc");
        if self.damage.len() < KEPT {
            self.damage.push(Damage { clause, excerpt });
        }
    }

    pub(crate) fn array(&mut self, excerpt: Excerpt) {
        if self.arrays.len() < KEPT {
            self.arrays.push(excerpt);
        }
    }
}
