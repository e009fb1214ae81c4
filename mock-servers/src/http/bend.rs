//! Where a fault can reach into a server over HTTP, and what it finds there.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use serde_json::Value;

use super::crowd::Crowd;
use super::policy::Policy;
use super::reply::Reply;
use crate::fault::{Bend, Bends};
use crate::message;
use crate::revision::Revision;

/// A misdeed of a server over HTTP, in the order in which a request meets them.
#[derive(Clone, Copy, Debug)]
pub enum HttpBend {
    /// Changes what the server decides.
    Policy(fn(&mut Policy)),
    /// Rewrites, in place, the bytes of one read from a connection.
    Wire(fn(&mut [u8])),
    /// Rewrites a request, or answers it in place of the server.
    Request(fn(&mut Incoming) -> Option<Reply>),
    /// Rewrites messages that a session sent side by side.
    Crowd(Crowd),
    /// Rewrites what is done with the messages that became ready together.
    Steps(fn(&Scene<'_>, &mut Vec<Step>)),
    /// Rewrites the bytes of one event, its blank line included.
    Event(fn(&Told<'_>, &mut Vec<u8>)),
    /// Rewrites an answer; the body of a stream is out of reach.
    Reply(fn(&Incoming, &mut Reply)),
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The method.
    pub method: Method,
    /// The path of the target.
    pub path: String,
    /// The query of the target, empty where there is none.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// The server's own host and port.
    pub authority: String,
    /// The revision negotiated in the session that the request names.
    pub revision: Option<Revision>,
}

impl Incoming {
    /// The text of a header, if it has one value and that is visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn message(&self) -> Value {
        message::parse(&self.body).unwrap_or(Value::Null)
    }
}

/// The circumstances in which messages became ready.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What the client posted.
    pub message: &'a Value,
    /// How many requests of that method the session has posted, this one included.
    pub nth: u64,
    /// How many messages of any kind the session has posted, this one included.
    pub posted: u64,
    /// The negotiated revision.
    pub revision: Option<Revision>,
    /// Whether the client listens on a stream that belongs to no request.
    pub standalone_open: bool,
    /// The last answer that another session got to a request with the same id.
    pub twin: Option<&'a Answered>,
}

impl Scene<'_> {
    /// Whether the client posted a request of that method.
    #[must_use]
    pub fn asks(&self, method: &str) -> bool {
        self.message["method"] == method
    }
}

/// An answer that was given.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The number of the session.
    pub session: u64,
    /// The id of the request.
    pub id: Value,
    /// The method of the request; null if it had none.
    pub method: Value,
    /// What it was answered.
    pub response: Value,
    /// Whether the client listened on a stream that belongs to no request.
    pub standalone_open: bool,
}

/// What is done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Says a message there.
    Say(Place, Value),
    /// Lets the connection of a request's stream go while the stream lives on.
    Release,
    /// Ends the stream of the request; over HTTP+SSE, that of the connection.
    End,
}

/// Where a message is said. HTTP+SSE has one stream, which stands for the first three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the answer to the request that it belongs to.
    Own,
    /// On the stream that belongs to no request.
    Standalone,
    /// On the stream of another request that is being served, or else on its own.
    Neighbour,
    /// In the body of the answer to a POST over HTTP+SSE.
    Post,
}

/// What one event tells.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The message; null in an event that carries none.
    pub message: &'a Value,
    /// What the client posted that the stream, or over HTTP+SSE the message, belongs to;
    /// null where it belongs to nothing.
    pub asked: &'a Value,
    /// The negotiated revision, once there is one.
    pub revision: Option<Revision>,
    /// The server's own host and port.
    pub authority: &'a str,
}

impl Told<'_> {
    /// Whether the event carries the result of a request of that method.
    #[must_use]
    pub fn is_result_of(&self, method: &str) -> bool {
        self.asked["method"] == method && self.message.get("result").is_some()
    }
}

/// The misdeeds that are on.
#[derive(Debug)]
pub(super) struct HttpBends(Vec<HttpBend>);

impl HttpBends {
    pub(super) fn streamable(bends: &Bends) -> Self {
        Self::of(bends, |bend| match bend {
            Bend::StreamableHttp(bends) => bends,
            _ => &[],
        })
    }

    pub(super) fn sse(bends: &Bends) -> Self {
        Self::of(bends, |bend| match bend {
            Bend::HttpSse(bends) => bends,
            _ => &[],
        })
    }

    fn of(bends: &Bends, pick: fn(Bend) -> &'static [HttpBend]) -> Self {
        Self(bends.iter().flat_map(pick).copied().collect())
    }

    pub(super) fn policy(&self) -> Policy {
        let mut policy = Policy::HONEST;
        for bend in &self.0 {
            if let HttpBend::Policy(bend) = bend {
                bend(&mut policy);
            }
        }
        policy
    }

    pub(super) fn wire(&self) -> Vec<fn(&mut [u8])> {
        let wire = |bend: &HttpBend| match bend {
            HttpBend::Wire(bend) => Some(*bend),
            _ => None,
        };
        self.0.iter().filter_map(wire).collect()
    }

    pub(super) fn request(&self, incoming: &mut Incoming) -> Option<Reply> {
        self.0.iter().find_map(|bend| match bend {
            HttpBend::Request(bend) => bend(incoming),
            _ => None,
        })
    }

    pub(super) fn crowd(&self) -> Option<Crowd> {
        self.0.iter().find_map(|bend| match bend {
            HttpBend::Crowd(crowd) => Some(*crowd),
            _ => None,
        })
    }

    pub(super) fn steps(&self, scene: &Scene<'_>, steps: &mut Vec<Step>) {
        for bend in &self.0 {
            if let HttpBend::Steps(bend) = bend {
                bend(scene, steps);
            }
        }
    }

    pub(super) fn event(&self, told: &Told<'_>, bytes: &mut Vec<u8>) {
        for bend in &self.0 {
            if let HttpBend::Event(bend) = bend {
                bend(told, bytes);
            }
        }
    }

    pub(super) fn reply(&self, incoming: &Incoming, reply: &mut Reply) {
        for bend in &self.0 {
            if let HttpBend::Reply(bend) = bend {
                bend(incoming, reply);
            }
        }
    }
}
