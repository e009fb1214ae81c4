//! What a fault is: one misdeed, in one layer below the honest server.

use std::sync::Arc;

use serde_json::Value;

use crate::http::HttpBend;
use crate::revision::Revision;

/// One misdeed of the reference server.
#[derive(Debug)]
pub struct Fault {
    /// The name by which it is switched on.
    pub name: &'static str,
    /// The id of the clause that it violates.
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
    pub const fn shows_on(&self, transport: Transport) -> bool {
        match self.bend {
            Bend::Reply(_) | Bend::Batch(_) => true,
            Bend::StreamableHttp(_) => matches!(transport, Transport::StreamableHttp),
            Bend::HttpSse(_) => matches!(transport, Transport::HttpSse),
            Bend::Stdout(_)
            | Bend::Stdin(_)
            | Bend::Streams(..)
            | Bend::Stderr(_)
            | Bend::Lifecycle(_) => matches!(transport, Transport::Stdio),
        }
    }
}

/// The layer in which a fault acts, and what it does there.
#[derive(Clone, Copy, Debug)]
pub enum Bend {
    /// Rewrites what answers one incoming message. A null reply means that nothing is
    /// sent: what is set to null is withheld, and a notification's null can be filled.
    Reply(fn(&Asked<'_>, &mut Value)),
    /// Rewrites what answers a batch, in the revision that has batches: the messages and
    /// arrays to be written, honestly one array, one error, or nothing.
    Batch(fn(&[Value], &mut Vec<Value>)),
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

/// An incoming message and its circumstances, as [`Bend::Reply`] sees them.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The message; null where it could not be read.
    pub message: &'a Value,
    /// The negotiated revision, once there is one.
    pub revision: Option<Revision>,
    /// Whether the message came in a batch.
    pub in_batch: bool,
}

/// The bytes that messages which became ready together turn into.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// One element for each write, honestly one line with its LF.
    pub writes: Vec<Vec<u8>>,
    /// Whether nothing was written before.
    pub first: bool,
}

/// The faults that are on.
#[derive(Clone, Debug)]
pub struct Bends(Arc<[&'static Fault]>);

impl Bends {
    /// No fault, or these.
    #[must_use]
    pub fn new(faults: &[&'static Fault]) -> Self {
        Self(faults.into())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Bend> {
        self.0.iter().map(|fault| fault.bend)
    }

    pub(crate) fn reply(&self, asked: &Asked<'_>, reply: &mut Value) {
        for bend in self.iter() {
            if let Bend::Reply(bend) = bend {
                bend(asked, reply);
            }
        }
    }

    pub(crate) fn batch(&self, batch: &[Value], replies: &mut Vec<Value>) {
        for bend in self.iter() {
            if let Bend::Batch(bend) = bend {
                bend(batch, replies);
            }
        }
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
