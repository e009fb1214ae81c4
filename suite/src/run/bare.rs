//! Files of JSON-RPC messages, one a line: what is read of them, and where sessions begin.

use std::{io::Read, time::Duration};

use super::{
    From,
    offline::{CHUNK, OfflineError, Reading},
    speaker::{Speakers, is_sent},
    track::Track,
};
use crate::{
    spec::{Revision, Transport, methods::Side},
    tape::{Class, Found, Id, Kind, Lines, MESSAGE_LIMIT, Message, opens_session},
};

/// So many messages wait at most until the revision is known that they are judged by.
const WAITING: usize = 256;
/// Messages alone tell no times.
const NO_TIME: Duration = Duration::ZERO;

/// A file of bare messages.
struct Bare {
    /// Who says them all, if that was told.
    from: Option<From>,
    /// The session, once its revision is known.
    track: Option<Track>,
    speakers: Speakers,
    /// Whether a line of it was no message: the client may have written it, and had an answer.
    garbled: bool,
    /// What was said in it before.
    waiting: Vec<Message>,
    /// How long that is, in bytes.
    held: u64,
}

impl Reading<'_> {
    /// Bare messages. A line that holds none is told, and no case judges it: nothing says that the
    /// server has written it.
    pub(super) fn messages(
        &mut self,
        name: &str,
        first: &[u8],
        mut input: impl Read,
    ) -> Result<(), OfflineError> {
        self.over(name, Transport::Stdio)?;
        let failed = |source| OfflineError::Read {
            name: name.to_owned(),
            source,
        };
        let mut bare = Bare {
            from: self.options.from,
            track: None,
            speakers: Speakers::default(),
            garbled: false,
            waiting: Vec::new(),
            held: 0,
        };
        let mut lines = Lines::default();
        let mut chunk = vec![0; CHUNK];
        let mut rest = first.to_vec();
        let mut found = Vec::new();
        // The line that is found next, how many have ended, and whether a message was in it.
        let (mut number, mut ended, mut spoke) = (1, 0, false);
        loop {
            for piece in rest.split_inclusive(|byte| *byte == b'\n') {
                lines.push(piece, 0, &mut |what| found.push(what));
                ended += usize::from(piece.ends_with(b"\n"));
                for what in found.drain(..) {
                    self.found(&mut bare, what, (name, &mut number), &mut spoke);
                }
                // A message over several lines was found as one.
                if lines.pending().is_none() {
                    number = ended + 1;
                }
            }
            let read = input.read(&mut chunk).map_err(failed)?;
            if read == 0 {
                break;
            }
            rest.clear();
            rest.extend_from_slice(&chunk[..read]);
        }
        lines.end(0, &mut |what| found.push(what));
        for what in found.drain(..) {
            self.found(&mut bare, what, (name, &mut number), &mut spoke);
        }
        self.close(&mut bare);
        Ok(())
    }

    fn found(
        &mut self,
        bare: &mut Bare,
        found: Found,
        (name, number): (&str, &mut usize),
        spoke: &mut bool,
    ) {
        match found {
            Found::Message(message) => {
                *spoke = true;
                self.take(bare, message);
            }
            Found::Line(line) => {
                if !*spoke && line.class != Class::Blank {
                    self.flaw(name, *number, "no JSON-RPC message", &line.excerpt);
                    bare.garbled = true;
                }
                *spoke = false;
                *number += 1;
            }
        }
    }

    fn take(&mut self, bare: &mut Bare, message: Message) {
        if bare.begins_anew(&message) {
            self.close(bare);
        }
        if bare.track.is_some() {
            return bare.judge(&message);
        }
        let tells_revision = bare.tells_revision(&message);
        bare.held += message.len();
        bare.waiting.push(message);
        if tells_revision || bare.waiting.len() >= WAITING || bare.held > MESSAGE_LIMIT as u64 {
            self.open(bare);
        }
    }

    /// Opens the session, and judges what waits.
    fn open(&mut self, bare: &mut Bare) {
        let revision = self.spoken(&bare.waiting);
        bare.track = Some(self.track(revision, None).of_messages());
        bare.held = 0;
        for message in std::mem::take(&mut bare.waiting) {
            bare.judge(&message);
        }
    }

    /// What comes next belongs to another session.
    fn close(&mut self, bare: &mut Bare) {
        if !bare.waiting.is_empty() {
            self.open(bare);
        }
        if let Some(track) = bare.track.take() {
            self.note_server(&track);
        }
        bare.speakers = Speakers::default();
        bare.garbled = false;
    }

    /// The revision that a session speaks which begins with these: the one that was agreed on, or
    /// else asked for.
    fn spoken(&self, messages: &[Message]) -> Revision {
        let judged = |version: &serde_json::Value| {
            let revision = version.as_str()?.parse().ok()?;
            let is_judged = Transport::Stdio.revisions().contains(&revision);
            is_judged.then_some(revision)
        };
        let version = |part: Option<&serde_json::Value>| judged(part?.get("protocolVersion")?);
        let agreed = || messages.last().and_then(|last| version(last.result()));
        let asked = || messages.iter().find_map(|said| version(said.params()));
        self.options
            .revision
            .or_else(agreed)
            .or_else(asked)
            .unwrap_or(Revision::V2025_11_25)
    }
}

impl Bare {
    /// Whether a message is the first of another session. Where the client's half is missing, that
    /// shows by the answer to `initialize` alone.
    fn begins_anew(&self, message: &Message) -> bool {
        if self.is_initialize(message) {
            return self.track.is_some() || self.asked_to_open().is_some();
        }
        let is_partial = self
            .track
            .as_ref()
            .is_some_and(|track| track.past().partial);
        is_partial && self.opens_session(message)
    }

    /// Whether the client opens a session.
    fn is_initialize(&self, message: &Message) -> bool {
        self.from != Some(From::Server)
            && message.kind() == Kind::Request
            && message.method.as_deref() == Some("initialize")
    }

    /// Whether the server answers that.
    fn opens_session(&self, message: &Message) -> bool {
        self.from != Some(From::Client)
            && message.kind() == Kind::Response
            && opens_session(message)
    }

    /// The id of the `initialize` that waits for its answer.
    fn asked_to_open(&self) -> Option<&Id> {
        let initialize = self
            .waiting
            .iter()
            .find(|message| self.is_initialize(message));
        initialize.and_then(|message| message.id.as_ref())
    }

    /// Whether nothing that may come behind the message says better which revision is spoken.
    fn tells_revision(&self, message: &Message) -> bool {
        if self.from == Some(From::Client) {
            return true;
        }
        let method = message.method.as_deref().unwrap_or_default();
        match (self.asked_to_open(), message.kind()) {
            // An empty result is the client's, to a ping with the same id.
            (Some(id), Kind::Response) => {
                let is_empty = |result: &serde_json::Value| {
                    result.as_object().is_some_and(serde_json::Map::is_empty)
                };
                message.id.as_ref() == Some(id) && !message.result().is_some_and(is_empty)
                    || opens_session(message)
            }
            (None, Kind::Response) => true,
            (Some(_), _) => false,
            // What the server may say before it was asked.
            (None, _) => {
                !self.is_initialize(message)
                    && self.from.is_none()
                    && !is_sent(method, Side::Server)
            }
        }
    }

    fn judge(&mut self, message: &Message) {
        let Some(track) = &mut self.track else {
            return;
        };
        if self.garbled {
            track.garbled();
        }
        let speaker = self
            .from
            .or_else(|| self.speakers.of(message, track.past()));
        match speaker {
            Some(From::Client) => track.says(message, NO_TIME),
            Some(From::Server) => track.hears(message, NO_TIME),
            None => {}
        }
    }
}
