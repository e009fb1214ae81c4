use std::time::Duration;

use super::{Event, Excerpt, Stream};
use crate::spec::Revision;

/// The bounded memory of rules: what one needs to know of the session before the event at hand.
#[derive(Debug)]
pub struct Past {
    /// The revision that the session is judged by.
    pub revision: Revision,
    /// The time of the event at hand, counted from the start of the run.
    pub now: Duration,
    /// How many messages have been read.
    pub messages: u64,
    /// The first line of text in front of the first message.
    pub preamble: Option<Excerpt>,
    /// Whether the server was told to stop: stdin closed, or SIGTERM sent.
    pub stopping: bool,
    /// Whether stdin was closed because an answer did not come.
    pub gave_up: bool,
    /// Whether we have sent an array.
    pub sent_array: bool,
    /// What we sent last.
    pub sent: Option<Excerpt>,
    /// What was read last in front of the event at hand.
    pub before: Option<Excerpt>,
}

impl Past {
    /// The past of a session that has not begun.
    pub fn new(revision: Revision) -> Past {
        Past {
            revision,
            now: Duration::ZERO,
            messages: 0,
            preamble: None,
            stopping: false,
            gave_up: false,
            sent_array: false,
            sent: None,
            before: None,
        }
    }

    /// Notes an event before rules see it.
    pub(crate) fn before(&mut self, event: &Event<'_>, now: Duration) {
        self.now = now;
        match event {
            Event::Sent(bytes) => self.sent_array |= bytes.trim_ascii_start().starts_with(b"["),
            Event::GaveUp => self.gave_up = true,
            Event::StdinClosed | Event::Terminated => self.stopping = true,
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
            Event::Message(_) => self.messages += 1,
            Event::Sent(bytes) => {
                self.sent = Some(Excerpt::new(Stream::Stdin, self.now, bytes));
            }
            _ => {}
        }
    }
}
