//! What a fault is: one misdeed, in one layer below the honest server.

use std::sync::Arc;

use serde_json::Value;

use crate::http::HttpBend;
use crate::outbox::Emitted;
use crate::policy::Policy;
use crate::revision::Revision;
use crate::scene::{Asked, Memory, Scene};

/// One misdeed of the reference server.
#[derive(Debug)]
pub struct Fault {
    /// The name by which it is switched on.
    pub name: &'static str,
    /// The id of the clause that it violates; empty if it is a freedom.
    pub violates: &'static str,
    /// The clauses that cannot help failing with it, each with the reason.
    pub drags: &'static [(&'static str, &'static str)],
    /// What it does, and in which layer.
    pub bend: Bend,
}

/// How messages travel between client and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Lines on standard input and output.
    Stdio,
    /// The two endpoints of 2024-11-05.
    HttpSse,
    /// The single endpoint of 2025-03-26 and later.
    StreamableHttp,
}

impl Fault {
    /// Whether the fault shows on this transport: one in the messages does on every one.
    #[must_use]
    pub fn shows_on(&self, transport: Transport) -> bool {
        self.bend.shows_on(transport)
    }
}

impl Bend {
    fn shows_on(self, transport: Transport) -> bool {
        match self {
            Self::Receive(_)
            | Self::Fatal(_)
            | Self::Reply(_)
            | Self::Hold(_)
            | Self::Batch(_)
            | Self::Emit(_)
            | Self::Text(_)
            | Self::Policy(_) => true,
            Self::Several(several) => several.iter().any(|bend| bend.shows_on(transport)),
            Self::Beforehand(bend) => {
                transport != Transport::StreamableHttp && bend.shows_on(transport)
            }
            Self::StreamableHttp(_) => transport == Transport::StreamableHttp,
            Self::HttpSse(_) => transport == Transport::HttpSse,
            Self::Stdout(_)
            | Self::Stdin(_)
            | Self::Streams(..)
            | Self::Stderr(_)
            | Self::Lifecycle(_) => transport == Transport::Stdio,
        }
    }
}

/// The layer in which a fault acts, and what it does there.
#[derive(Clone, Copy, Debug)]
pub enum Bend {
    /// Rewrites what the client said before the server takes it, honestly that one
    /// message: what is removed never arrived, and what is added is taken in turn.
    Receive(fn(&Scene<'_>, &mut Vec<Value>)),
    /// Ends the session at a message for which this says so: nothing is answered any
    /// more, and a server that serves nobody else ends.
    Fatal(fn(&Asked<'_>) -> bool),
    /// Rewrites what answers one incoming message. A null reply means that nothing is
    /// sent: what is set to null is withheld, and a notification's null can be filled.
    Reply(fn(&Asked<'_>, &mut Value)),
    /// Holds the answer to a message back for as long as this says so. It is asked again
    /// when something else has been taken in or answered.
    Hold(fn(&Asked<'_>) -> bool),
    /// Rewrites what answers a batch, in the revision that has batches: the messages and
    /// arrays to be written, honestly one array, one error, or nothing.
    Batch(fn(&[Value], &mut Vec<Value>)),
    /// Rewrites what leaves the session, responses, requests and notifications alike:
    /// honestly the one message.
    Emit(fn(&Scene<'_>, &mut Vec<Emitted>)),
    /// Rewrites the JSON of one message as text, in ways that a JSON value cannot hold.
    Text(fn(&Value, &mut String)),
    /// Changes what the server decides for itself.
    Policy(fn(&mut Policy)),
    /// Acts in several layers.
    Several(&'static [Bend]),
    /// Acts on what comes before `initialize`, which over Streamable HTTP reaches no session.
    Beforehand(&'static Bend),
    /// Acts on standard output.
    Stdout(Stdout),
    /// Acts on standard input.
    Stdin(Stdin),
    /// Acts on both, as a framing of its own does.
    Streams(Stdin, Stdout),
    /// Writes these bytes to standard error at the start.
    Stderr(&'static [u8]),
    /// Acts on how the process ends.
    Lifecycle(Lifecycle),
    /// Acts on Streamable HTTP.
    StreamableHttp(&'static [HttpBend]),
    /// Acts on HTTP+SSE.
    HttpSse(&'static [HttpBend]),
}

/// Misdeeds on standard output, in the order in which they are applied.
#[derive(Clone, Copy, Debug)]
pub enum Stdout {
    /// Writes these bytes before anything else.
    Opening(&'static [u8]),
    /// Rewrites the messages that became ready together.
    Together(fn(Option<Revision>, &mut Vec<Value>)),
    /// Rewrites the bytes of one message; they end in LF.
    Line(fn(&Value, &mut Vec<u8>)),
    /// Rewrites the writes that messages which became ready together turn into.
    Write(fn(&mut Sheet)),
    /// Sends responses to standard error.
    ResponsesOnStderr,
    /// Keeps everything back until standard input ends.
    Held,
    /// Writes these bytes when standard input has ended.
    Closing(&'static [u8]),
}

/// Misdeeds on standard input, in the order in which they are applied.
#[derive(Clone, Copy, Debug)]
pub enum Stdin {
    /// Rewrites, after each read, the bytes that have not been cut into lines yet.
    Buffer(fn(&mut Vec<u8>)),
    /// Rewrites the lines, without their LF, that one read completed.
    Lines(fn(&mut Vec<Vec<u8>>)),
}

/// Misdeeds in the life of the process.
#[derive(Clone, Copy, Debug)]
pub enum Lifecycle {
    /// Ends at a line for which this says so.
    EndsAt(fn(&[u8]) -> bool),
    /// Goes on when standard input has ended.
    IgnoresEof,
    /// Goes on when asked to terminate by a signal.
    IgnoresSigterm,
}

/// The bytes that messages which became ready together turn into.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// One element for each write, honestly one line with its LF.
    pub writes: Vec<Vec<u8>>,
    /// Whether nothing was written before.
    pub first: bool,
}

/// The faults that are on in a server, whose sessions share what the faults remember.
#[derive(Clone, Debug)]
pub struct Bends(Arc<On>);

#[derive(Debug)]
struct On {
    bends: Vec<Bend>,
    memory: Memory,
}

impl Bends {
    /// No fault, or these.
    #[must_use]
    pub fn new(faults: &[&'static Fault]) -> Self {
        let mut bends = Vec::new();
        for fault in faults {
            flatten(fault.bend, &mut bends);
        }
        Self(Arc::new(On {
            bends,
            memory: Memory::default(),
        }))
    }

    /// What is remembered over all sessions.
    pub(crate) fn memory(&self) -> &Memory {
        &self.0.memory
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Bend> {
        self.0.bends.iter().copied()
    }

    pub(crate) fn receive(&self, scene: &Scene<'_>, messages: &mut Vec<Value>) {
        for bend in self.iter() {
            if let Bend::Receive(bend) = bend {
                bend(scene, messages);
            }
        }
    }

    pub(crate) fn is_fatal(&self, asked: &Asked<'_>) -> bool {
        self.iter()
            .any(|bend| matches!(bend, Bend::Fatal(says_so) if says_so(asked)))
    }

    pub(crate) fn reply(&self, asked: &Asked<'_>, reply: &mut Value) {
        for bend in self.iter() {
            if let Bend::Reply(bend) = bend {
                bend(asked, reply);
            }
        }
    }

    pub(crate) fn is_held(&self, asked: &Asked<'_>) -> bool {
        self.iter()
            .any(|bend| matches!(bend, Bend::Hold(says_so) if says_so(asked)))
    }

    pub(crate) fn batch(&self, batch: &[Value], replies: &mut Vec<Value>) {
        for bend in self.iter() {
            if let Bend::Batch(bend) = bend {
                bend(batch, replies);
            }
        }
    }

    pub(crate) fn emit(&self, scene: &Scene<'_>, outgoing: &mut Vec<Emitted>) {
        for bend in self.iter() {
            if let Bend::Emit(bend) = bend {
                bend(scene, outgoing);
            }
        }
    }

    /// The JSON of a message as a transport has to write it.
    #[must_use]
    pub fn text(&self, message: &Value) -> String {
        let mut text = message.to_string();
        for bend in self.iter() {
            if let Bend::Text(bend) = bend {
                bend(message, &mut text);
            }
        }
        text
    }

    /// What the server decides for itself.
    pub(crate) fn policy(&self) -> Policy {
        let mut policy = Policy::default();
        for bend in self.iter() {
            if let Bend::Policy(bend) = bend {
                bend(&mut policy);
            }
        }
        policy
    }

    pub(crate) fn stdout(&self) -> impl Iterator<Item = Stdout> {
        self.iter().filter_map(|bend| match bend {
            Bend::Stdout(stdout) | Bend::Streams(_, stdout) => Some(stdout),
            _ => None,
        })
    }

    pub(crate) fn stdin(&self) -> impl Iterator<Item = Stdin> {
        self.iter().filter_map(|bend| match bend {
            Bend::Stdin(stdin) | Bend::Streams(stdin, _) => Some(stdin),
            _ => None,
        })
    }

    pub(crate) fn lifecycle(&self) -> impl Iterator<Item = Lifecycle> {
        self.iter().filter_map(|bend| match bend {
            Bend::Lifecycle(lifecycle) => Some(lifecycle),
            _ => None,
        })
    }
}

fn flatten(bend: Bend, into: &mut Vec<Bend>) {
    match bend {
        Bend::Several(several) => several.iter().for_each(|bend| flatten(*bend, into)),
        Bend::Beforehand(bend) => flatten(*bend, into),
        single => into.push(single),
    }
}
