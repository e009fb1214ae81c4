use std::{collections::HashSet, time::Duration};

use super::{Event, Excerpt, Id, Kind, Message, Stream};
use crate::spec::Revision;

/// How many unanswered requests are remembered.
const IN_FLIGHT_LIMIT: usize = 4096;

/// The bounded memory of rules: what one needs to know of the session before the event at hand.
#[derive(Debug)]
pub struct Past {
    /// The revision that the session is judged by.
    pub revision: Revision,
    /// The time of the event at hand, counted from the start of the run.
    pub now: Duration,
    /// How many messages have been read.
    pub messages: u64,
    /// How many blank lines have been read, the one at hand included.
    pub blank_lines: u64,
    /// The first line of text in front of the first message.
    pub preamble: Option<Excerpt>,
    /// Whether stdin has been closed.
    pub stdin_closed: bool,
    /// Whether stdin was closed because an answer did not come.
    pub gave_up: bool,
    /// Whether we have sent an array.
    pub sent_array: bool,
    /// What we sent last.
    pub sent: Option<Excerpt>,
    /// What was read last in front of the event at hand.
    pub before: Option<Excerpt>,
    /// The requests that have not been answered.
    in_flight: HashSet<Id>,
}

impl Past {
    /// The past of a session that has not begun.
    pub fn new(revision: Revision) -> Past {
        Past {
            revision,
            now: Duration::ZERO,
            messages: 0,
            blank_lines: 0,
            preamble: None,
            stdin_closed: false,
            gave_up: false,
            sent_array: false,
            sent: None,
            before: None,
            in_flight: HashSet::new(),
        }
    }

    /// How many requests of ours are unanswered.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Notes that we sent a request.
    pub(crate) fn asked(&mut self, id: Id) {
        if self.in_flight.len() < IN_FLIGHT_LIMIT {
            self.in_flight.insert(id);
        }
    }

    /// Notes an event before rules see it.
    pub(crate) fn before(&mut self, event: &Event<'_>, now: Duration) {
        self.now = now;
        match event {
            Event::Line(line) if line.class == super::Class::Blank => self.blank_lines += 1,
            Event::Sent(bytes) => self.sent_array |= bytes.trim_ascii_start().starts_with(b"["),
            Event::GaveUp => self.gave_up = true,
            Event::StdinClosed => self.stdin_closed = true,
            _ => {}
        }
    }

    /// Notes an event after rules have seen it.
    pub(crate) fn after(&mut self, event: &Event<'_>) {
        match event {
            Event::Line(line) => {
                let excerpt = Excerpt::of_line(self.now, line);
                if self.messages == 0 && line.class == super::Class::Text {
                    self.preamble.get_or_insert_with(|| excerpt.clone());
                }
                self.before = Some(excerpt);
            }
            Event::Message(message) => {
                self.messages += 1;
                self.answered(message);
            }
            Event::Sent(bytes) => {
                self.sent = Some(Excerpt::new(Stream::Stdin, self.now, bytes));
            }
            _ => {}
        }
    }

    fn answered(&mut self, message: &Message) {
        if message.kind() == Kind::Response
            && let Some(id) = &message.id
        {
            self.in_flight.remove(id);
        }
    }
}
