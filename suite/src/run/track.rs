//! One recorded session, played to the rules as the live run played it.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use serde::Deserialize;

use super::judge::{Findings, Judge};
use crate::{
    session::{InBodies, Observer},
    spec::{Revision, Transport},
    tape::{
        Close, Event, Exchange, Found, Id, Lines, MESSAGE_LIMIT, Message, Stderr, Whole, read_value,
    },
    transport::{SseEvent, SseFound, SseReader},
};

/// So many exchanges of a session are open at a time.
const EXCHANGES: usize = 256;

/// A line of a transcript behind its head (`schemas/transcript.json`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub(super) at: f64,
    pub(super) session: Option<u32>,
    stream: Option<String>,
    text: Option<String>,
    hex: Option<String>,
    event: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) judged: Option<bool>,
    pub(super) leading: Option<bool>,
    /// Whether stdout was open when the process was killed.
    cut: bool,
    killed: bool,
    orderly: bool,
    exchange: Option<u32>,
    method: Option<String>,
    url: Option<String>,
    status: Option<serde_json::Value>,
    headers: Vec<(String, String)>,
    by: Option<String>,
    /// The exchange whose body is sent once more.
    again: Option<u32>,
    /// Whether the request is sent once more upon this answer.
    followed: bool,
}

impl Record {
    /// Whether it opens a session, and for which revision.
    pub(super) fn opens(&self) -> Option<&str> {
        let opened = self.event.as_deref() == Some("opened");
        self.revision.as_deref().filter(|_| opened)
    }

    /// Whether nothing comes behind it in its session.
    pub(super) fn ends(&self) -> bool {
        self.event.as_deref() == Some("ended")
    }
}

/// An HTTP exchange that is being played.
struct Playing {
    exchange: Rc<Exchange>,
    posted: Vec<u8>,
    /// Nothing of the answer's body has come.
    fresh: bool,
    stream: Option<SseReader>,
    /// So many bytes of the event that is being read were taken for whole.
    released: usize,
    whole: Whole,
}

/// See the module.
pub(super) struct Track {
    judge: Judge,
    /// What was written to stdin and is not ended yet.
    typed: Vec<u8>,
    heard: Lines,
    stderr: Stderr,
    /// By number: the oldest first.
    exchanges: BTreeMap<u32, Playing>,
    /// Over HTTP+SSE: what came beside the stream.
    in_bodies: Option<InBodies>,
}

impl Track {
    /// The session of this number, and of its revision the first or another one.
    pub(super) fn new(
        number: usize,
        leads: bool,
        (revision, transport): (Revision, Transport),
        findings: Rc<RefCell<Findings>>,
    ) -> Track {
        Track {
            judge: Judge::new(number, leads, revision, findings),
            typed: Vec::new(),
            heard: Lines::default(),
            stderr: Stderr::default(),
            exchanges: BTreeMap::new(),
            in_bodies: (transport == Transport::HttpSse).then(InBodies::default),
        }
    }

    /// The same for a session of which messages were recorded, and perhaps not all of them.
    pub(super) fn of_messages(self) -> Track {
        Track {
            judge: self.judge.of_messages(),
            ..self
        }
    }

    /// The result of `initialize`, once it has come.
    pub(super) fn initialized(&self) -> Option<&serde_json::Value> {
        self.judge.past().initialized.as_ref()
    }

    /// Plays a record; an error says what is wrong with it.
    pub(super) fn play(&mut self, record: Record) -> Result<(), &'static str> {
        let at = Duration::try_from_secs_f64(record.at).map_err(|_| "`at` is no time")?;
        match (record.stream.as_deref(), record.event.as_deref()) {
            (Some(stream), None) => {
                let bytes = match (record.text, &record.hex) {
                    (Some(text), None) => text.into_bytes(),
                    (None, Some(hex)) => from_hex(hex).ok_or("`hex` is not hexadecimal")?,
                    _ => return Err("a stream has either `text` or `hex`"),
                };
                match (stream, record.exchange) {
                    ("stdin", None) => self.stdin(&bytes, at),
                    ("stdout", None) => self.stdout(&bytes, at),
                    ("stderr", None) => self.stderr(&bytes),
                    ("request", Some(number)) => return self.request(number, &bytes, at),
                    ("response", Some(number)) => self.response(number, &bytes, at),
                    _ => return Err("there is no such stream"),
                }
            }
            (_, Some(event)) => match (event, record.exchange) {
                ("opened", _) => {}
                ("gave-up", _) => self.see(&Event::GaveUp, at),
                ("terminated", _) => self.see(&Event::Terminated, at),
                ("closed", None) => {
                    self.rest_of_stdin(at);
                    self.see(&Event::StdinClosed, at);
                }
                ("request", Some(number)) => return self.begin(number, &record),
                ("released", Some(number)) => self.released(number, at),
                ("response", Some(number)) => self.head(number, &record, at),
                ("closed", Some(number)) => {
                    let by = record.by.as_deref().and_then(Close::named);
                    self.closed(
                        number,
                        by.ok_or("`by` is none of server, cut and client")?,
                        at,
                    );
                }
                ("ended", _) => self.end(&record, at),
                _ => return Err("there is no such event"),
            },
            (None, None) => return Err("it has neither `stream` nor `event`"),
        }
        Ok(())
    }

    fn see(&mut self, event: &Event<'_>, at: Duration) {
        self.judge.see(event, at);
    }

    /// The client may have said something that nobody can read.
    pub(super) fn garbled(&mut self) {
        self.judge.garbled();
    }

    /// A message of the server's.
    pub(super) fn hears(&mut self, message: &Message, at: Duration) {
        self.see(&Event::Message(message), at);
    }

    /// A message of the client's.
    pub(super) fn says(&mut self, message: &Message, at: Duration) {
        self.see(&Event::Said(message), at);
    }

    /// What was written piece by piece was said as a whole.
    fn stdin(&mut self, bytes: &[u8], at: Duration) {
        self.typed.extend_from_slice(bytes);
        match self.typed.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => {
                let rest = self.typed.split_off(end + 1);
                let lines = std::mem::replace(&mut self.typed, rest);
                self.said(&lines, at);
            }
            None if self.typed.len() > MESSAGE_LIMIT => self.rest_of_stdin(at),
            None => {}
        }
    }

    /// What no line feed ended.
    fn rest_of_stdin(&mut self, at: Duration) {
        let rest = std::mem::take(&mut self.typed);
        if !rest.is_empty() {
            self.said(&rest, at);
        }
    }

    fn said(&mut self, lines: &[u8], at: Duration) {
        self.see(&Event::Sent(lines), at);
        // What the client has broken off on purpose goes on in no other line.
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            for message in Message::all_of(line) {
                self.says(&message, at);
            }
        }
    }

    fn stdout(&mut self, bytes: &[u8], at: Duration) {
        let in_flight = self.judge.in_flight();
        let mut lines = std::mem::take(&mut self.heard);
        lines.push(bytes, in_flight, &mut |found| self.found(&found, at));
        self.heard = lines;
    }

    /// What stands on stdout.
    fn found(&mut self, found: &Found, at: Duration) {
        match found {
            Found::Message(message) => self.hears(message, at),
            Found::Line(line) => self.see(&Event::Line(line), at),
        }
    }

    pub(super) fn past(&self) -> &crate::tape::Past {
        self.judge.past()
    }

    fn stderr(&mut self, bytes: &[u8]) {
        let open = self.judge.in_flight() > 0;
        let client = &self.judge.past().client;
        let awaits = |id: &Id| client.get(id).is_some_and(|asked| asked.answers == 0);
        self.stderr
            .read(bytes, open.then_some(&awaits as &dyn Fn(&Id) -> bool));
    }

    fn begin(&mut self, number: u32, record: &Record) -> Result<(), &'static str> {
        // What is sent once more is said once.
        let before = record.again.and_then(|again| self.exchanges.remove(&again));
        let exchange = Rc::new(Exchange {
            number,
            method: record.method.clone().unwrap_or_default(),
            url: record.url.clone().unwrap_or_default(),
            sent: record.headers.clone(),
            posted: Vec::new(),
            status: 0,
            headers: Vec::new(),
        });
        let playing = Playing {
            exchange,
            posted: before.map(|before| before.posted).unwrap_or_default(),
            fresh: true,
            stream: None,
            released: 0,
            whole: Whole::default(),
        };
        self.exchanges.insert(number, playing);
        if self.exchanges.len() <= EXCHANGES {
            return Ok(());
        }
        self.exchanges.pop_first();
        Err("too many exchanges are open: the rest of the oldest is not judged")
    }

    fn request(&mut self, number: u32, bytes: &[u8], at: Duration) -> Result<(), &'static str> {
        self.see(&Event::Sent(bytes), at);
        let mut fits = true;
        if let Some(playing) = self.exchanges.get_mut(&number) {
            fits = playing.posted.len() + bytes.len() <= MESSAGE_LIMIT;
            if fits {
                playing.posted.extend_from_slice(bytes);
            }
        }
        for message in Message::all_of(bytes) {
            self.says(&message, at);
        }
        fits.then_some(())
            .ok_or("more is posted in its exchange than is read")
    }

    fn head(&mut self, number: u32, record: &Record, at: Duration) {
        // Nothing of an answer that is followed is judged.
        let Some(playing) = self.exchanges.get_mut(&number).filter(|_| !record.followed) else {
            return;
        };
        let mut exchange = Exchange::clone(&playing.exchange);
        exchange.posted = Message::all_of(&std::mem::take(&mut playing.posted));
        let status = record.status.as_ref().and_then(serde_json::Value::as_u64);
        exchange.status = status
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or(0);
        exchange.headers = record
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_bytes().to_vec()))
            .collect();
        playing.exchange = Rc::new(exchange);
        if playing.exchange.status < 400 && playing.exchange.is_stream() {
            playing.stream = Some(SseReader::default());
        }
        let exchange = Rc::clone(&playing.exchange);
        self.see(&Event::Opened(&exchange), at);
    }

    fn response(&mut self, number: u32, bytes: &[u8], at: Duration) {
        let Some(playing) = self.exchanges.get_mut(&number) else {
            return;
        };
        let first = std::mem::replace(&mut playing.fresh, false);
        if first && playing.stream.is_none() && playing.exchange.is_stream_by(bytes) {
            playing.stream = Some(SseReader::default());
        }
        let exchange = Rc::clone(&playing.exchange);
        let Some(reader) = &mut playing.stream else {
            playing.whole.push(bytes);
            return;
        };
        let mut all = Vec::new();
        reader.push(bytes, &mut |found| all.push(found));
        let ends = |found: &SseFound| matches!(found, SseFound::Event(event) if event.dispatched);
        let read = match all.iter().any(ends) {
            true => std::mem::take(&mut playing.released),
            false => 0,
        };
        self.stream(&exchange, &all, read, at);
    }

    /// Takes what stands on the stream for whole, as the live run did, though no blank line ended it.
    fn released(&mut self, number: u32, at: Duration) {
        let Some(playing) = self.exchanges.get_mut(&number) else {
            return;
        };
        let Some(reader) = &playing.stream else {
            return;
        };
        let pending = reader.pending().unwrap_or_default();
        let messages = read_value(pending.get(playing.released..).unwrap_or_default());
        playing.released = pending.len();
        let (exchange, found) = (Rc::clone(&playing.exchange), reader.unterminated());
        for message in messages {
            self.message(&exchange, message, at);
        }
        let (exchange, found) = (&exchange, &found);
        self.see(&Event::Found { exchange, found }, at);
    }

    /// What stands in a stream; so much of the first event's data was read before.
    fn stream(&mut self, exchange: &Rc<Exchange>, all: &[SseFound], mut read: usize, at: Duration) {
        for found in all {
            if let SseFound::Event(event) = found
                && event.dispatched
            {
                self.event(exchange, event, std::mem::take(&mut read), at);
            }
            self.see(&Event::Found { exchange, found }, at);
        }
    }

    fn event(&mut self, exchange: &Rc<Exchange>, event: &SseEvent, read: usize, at: Duration) {
        if event.kind == "endpoint" {
            return;
        }
        let data = event.data.as_deref().unwrap_or_default();
        let messages = match &event.long {
            Some(message) => vec![message.clone()],
            None => read_value(data.get(read..).unwrap_or_default()),
        };
        for message in messages {
            self.message(exchange, message, at);
        }
    }

    fn message(&mut self, exchange: &Rc<Exchange>, mut message: Message, at: Duration) {
        message.exchange = Some(Rc::clone(exchange));
        let client = &self.judge.past().client;
        let awaits = |id: &Id| client.get(id).is_some_and(|asked| asked.answers == 0);
        let mut beside = self.in_bodies.as_mut();
        if beside
            .as_mut()
            .is_some_and(|beside| beside.is_twin(&message, awaits))
        {
            return;
        }
        self.see(&Event::Message(&message), at);
    }

    fn closed(&mut self, number: u32, close: Close, at: Duration) {
        let Some(mut playing) = self.exchanges.remove(&number) else {
            return;
        };
        let exchange = Rc::clone(&playing.exchange);
        if let Some(mut reader) = playing.stream.take() {
            let mut all = Vec::new();
            if close != Close::Ours {
                reader.end(&mut |found| all.push(found));
            }
            self.stream(&exchange, &all, playing.released, at);
            self.see(
                &Event::Closed {
                    exchange: &exchange,
                    close,
                },
                at,
            );
            return;
        }
        if close == Close::Ended {
            for message in playing.whole.messages(exchange.status) {
                self.message(&exchange, message, at);
            }
        }
        let body = Event::Body {
            exchange: &exchange,
            body: playing.whole.text(),
            len: playing.whole.len(),
            whole: close == Close::Ended,
        };
        self.judge.see(&body, at);
    }

    fn end(&mut self, record: &Record, at: Duration) {
        let is_http = record
            .status
            .as_ref()
            .is_some_and(|status| status == "closed");
        if !is_http {
            let in_flight = self.judge.in_flight();
            let mut lines = std::mem::take(&mut self.heard);
            let mut found = |found: Found| self.found(&found, at);
            match record.cut {
                true => lines.cut(in_flight, &mut found),
                false => lines.end(in_flight, &mut found),
            }
            self.see(
                &Event::StdoutEnded {
                    killed: record.killed,
                },
                at,
            );
            let client = &self.judge.past().client;
            let answers: Vec<_> = self
                .stderr
                .answers
                .iter()
                .filter(|(id, _)| client.get(id).is_some_and(|asked| asked.answers == 0))
                .cloned()
                .collect();
            for (id, text) in &answers {
                self.see(&Event::AnswerOnStderr { id, text }, at);
            }
            self.stderr.end_line();
            let not_utf8 = self.stderr.not_utf8.take();
            self.see(
                &Event::StderrEnded {
                    not_utf8: not_utf8.as_deref(),
                },
                at,
            );
        }
        self.see(
            &Event::Ended {
                orderly: record.orderly,
            },
            at,
        );
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
