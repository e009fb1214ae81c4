//! The event streams of one session: what was said on each, and who listens.

use axum::body::Bytes;
use serde_json::Value;

use super::super::bend::Told;
use super::super::event::{self, Connection};
use super::super::policy::{Replay, Standalone};
use super::super::site::Site;
use crate::revision::Revision;

/// How many streams are remembered; the oldest that have ended are forgotten.
const REMEMBERED: usize = 256;

/// How many messages wait for somebody to listen.
const QUEUED: usize = 256;

/// The streams of one session, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Streams {
    streams: Vec<Stream>,
    /// What belongs to no request and found nobody who listened.
    queued: Vec<Value>,
    /// How many requests were posted since the last GET opened a stream.
    pub(super) posts: u64,
}

#[derive(Debug)]
struct Stream {
    number: u64,
    /// The post that it answers; null if it answers none.
    asked: Value,
    /// Every event so far; the id of one is the stream's number and its position.
    events: Vec<Bytes>,
    ended: bool,
    connection: Option<Connection>,
}

/// What a session's streams need to know to speak.
#[derive(Clone, Copy)]
pub(super) struct Voice<'a> {
    pub(super) site: &'a Site,
    pub(super) revision: Option<Revision>,
}

impl Streams {
    /// Opens the stream that answers a post, and returns its number.
    pub(super) fn open(
        &mut self,
        voice: Voice<'_>,
        asked: Value,
        connection: Option<Connection>,
    ) -> u64 {
        let number = voice.site.stream();
        let mut stream = Stream {
            number,
            asked,
            events: Vec::new(),
            ended: false,
            connection,
        };
        if voice.revision.is_some_and(voice.site.policy.primes) {
            stream.tell(voice, &Value::Null, |id| {
                event::priming(id, voice.site.policy.retry)
            });
        } else if stream.asked.is_null() {
            stream.give_retry(voice);
        }
        self.streams.push(stream);
        if self.streams.len() > REMEMBERED
            && let Some(oldest) = self.streams.iter().position(|stream| stream.ended)
        {
            self.streams.remove(oldest);
        }
        number
    }

    /// Opens a stream that belongs to no request, in place of one that nobody reads any
    /// more. Says whether it may.
    pub(super) fn open_standalone(&mut self, voice: Voice<'_>, connection: Connection) -> bool {
        let mut one = voice.site.policy.standalone == Standalone::One;
        one &= self.standalone_open();
        if one {
            return false;
        }
        for stream in &mut self.streams {
            stream.ended |= stream.asked.is_null() && !stream.is_heard();
        }
        self.posts = 0;
        self.open(voice, Value::Null, Some(connection));
        self.say_queued(voice);
        true
    }

    /// Says a message on the stream with that number.
    pub(super) fn say(&mut self, voice: Voice<'_>, number: u64, message: &Value) {
        if let Some(stream) = self.stream(number) {
            stream.say(voice, message);
        }
    }

    /// Says a message where it belongs to no request, or keeps it until somebody listens.
    pub(super) fn say_standalone(&mut self, voice: Voice<'_>, message: Value) {
        let mut heard = false;
        for stream in self.streams.iter_mut().filter(|s| s.asked.is_null()) {
            if stream.is_heard() {
                stream.say(voice, &message);
                heard = true;
            }
        }
        if !heard && self.queued.len() < QUEUED {
            self.queued.push(message);
        }
    }

    /// The number of another stream that answers a post and has not ended.
    pub(super) fn neighbour(&self, number: u64) -> Option<u64> {
        let is_neighbour =
            |s: &&Stream| s.number != number && !s.asked.is_null() && !s.ended && s.is_heard();
        let neighbour = self.streams.iter().find(is_neighbour)?;
        Some(neighbour.number)
    }

    /// Lets the connection of a stream go, while the stream lives on.
    pub(super) fn release(&mut self, number: u64) {
        if let Some(stream) = self.stream(number) {
            stream.connection = None;
        }
    }

    /// Ends a stream.
    pub(super) fn end(&mut self, number: u64) {
        if let Some(stream) = self.stream(number) {
            stream.end();
        }
    }

    /// Ends every stream.
    pub(super) fn end_all(&mut self) {
        self.streams.iter_mut().for_each(Stream::end);
    }

    /// Whether a stream has not ended.
    pub(super) fn is_running(&mut self, number: u64) -> bool {
        self.stream(number).is_some_and(|stream| !stream.ended)
    }

    /// Whether somebody listens on a stream that belongs to no request.
    pub(super) fn standalone_open(&self) -> bool {
        self.streams
            .iter()
            .any(|stream| stream.asked.is_null() && stream.is_heard())
    }

    /// What came after the event with that id, if there was one.
    pub(super) fn replay(&self, id: &str, replay: Replay) -> Option<Vec<Bytes>> {
        let (number, position) = parse(id)?;
        let stream = self.streams.iter().find(|s| s.number == number)?;
        stream.events.get(position)?;
        let start = match replay {
            Replay::From => position,
            _ => position + 1,
        };
        let mut events = stream.events[start..].to_vec();
        if replay == Replay::LaterStreams {
            let later = self.streams.iter().filter(|s| s.number > number);
            events.extend(later.flat_map(|stream| stream.events.clone()));
        }
        Some(events)
    }

    /// Lets the stream to which an event belongs go on at a new connection, unless it has
    /// ended.
    pub(super) fn resume(&mut self, voice: Voice<'_>, id: &str, connection: Connection) {
        let Some(stream) = parse(id).and_then(|(number, _)| self.stream(number)) else {
            return;
        };
        if stream.ended {
            return;
        }
        stream.connection = Some(connection);
        if stream.asked.is_null() {
            self.say_queued(voice);
        }
    }

    fn say_queued(&mut self, voice: Voice<'_>) {
        for message in std::mem::take(&mut self.queued) {
            self.say_standalone(voice, message);
        }
    }

    fn stream(&mut self, number: u64) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|s| s.number == number)
    }
}

impl Stream {
    fn say(&mut self, voice: Voice<'_>, message: &Value) {
        let text = voice.site.text(message);
        self.tell(voice, message, |id| event::of_message(Some(id), &text));
    }

    fn tell(&mut self, voice: Voice<'_>, message: &Value, event: impl FnOnce(&str) -> Vec<u8>) {
        let id = format!("{}-{}", self.number, self.events.len());
        let told = Told {
            message,
            asked: &self.asked,
            revision: voice.revision,
            authority: &voice.site.authority,
        };
        let bytes = Bytes::from(voice.site.event(&told, event(&id)));
        if let Some(connection) = &self.connection {
            connection.write(bytes.clone());
        }
        self.events.push(bytes);
    }

    /// Gives the time to come back, where an event without data would be taken for a message.
    fn give_retry(&self, voice: Voice<'_>) {
        let told = Told {
            message: &Value::Null,
            asked: &self.asked,
            revision: voice.revision,
            authority: &voice.site.authority,
        };
        if let (Some(connection), Some(retry)) = (&self.connection, voice.site.policy.retry) {
            let bytes = voice.site.event(&told, event::retry(retry));
            connection.write(Bytes::from(bytes));
        }
    }

    fn end(&mut self) {
        self.ended = true;
        self.connection = None;
    }

    fn is_heard(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::is_open)
    }
}

/// The number of a stream and the position on it that an id consists of.
fn parse(id: &str) -> Option<(u64, usize)> {
    let (number, position) = id.split_once('-')?;
    Some((number.parse().ok()?, position.parse().ok()?))
}
