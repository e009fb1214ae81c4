//! What an event stream has said since the last blank line: bounded, however long it is.

use std::rc::Rc;

use super::SseEvent;
use crate::tape::{MESSAGE_LIMIT, Message, Progress, Scanner};

/// So much of a line and of an event is kept for evidence.
pub(super) const EXCERPT_BYTES: usize = 4 * 1024;

/// Appends as much of `bytes` as `limit` leaves room for.
pub(super) fn keep(kept: &mut Vec<u8>, bytes: &[u8], limit: usize) {
    let room = limit.saturating_sub(kept.len());
    kept.extend_from_slice(&bytes[..room.min(bytes.len())]);
}

/// The lines of an event that no blank line has ended yet.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) kind: String,
    pub(super) id: Option<String>,
    pub(super) retry: Option<Vec<u8>>,
    pub(super) data: Data,
    /// Whether there is anything but comments in it.
    pub(super) has_fields: bool,
    pub(super) raw: Vec<u8>,
    pub(super) len: u64,
}

impl Block {
    /// Bytes as they stand on the wire.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        keep(&mut self.raw, bytes, EXCERPT_BYTES);
        self.len += bytes.len() as u64;
    }

    /// A comment in front of an event is no part of it: an hour of keep-alives must not push the
    /// event out of its own evidence.
    pub(super) fn comment_ended(&mut self) {
        if !self.has_fields {
            self.raw.clear();
            self.len = 0;
        }
    }

    /// The event, with `last_id` in force; what follows is the next.
    pub(super) fn close(&mut self, last_id: Rc<str>) -> SseEvent {
        let named = !self.kind.is_empty();
        let event = SseEvent {
            named,
            kind: if named {
                std::mem::take(&mut self.kind)
            } else {
                "message".to_owned()
            },
            dispatched: self.data.given,
            data: self.data.whole().map(Rc::from),
            long: self.data.long(),
            len: self.data.len,
            id: self.id.take(),
            last_id,
            retry: self.retry.take(),
            raw: std::mem::take(&mut self.raw),
        };
        let mut text = std::mem::take(&mut self.data.text);
        text.clear();
        // One long event must not hold its memory for the rest of the stream.
        text.shrink_to(64 * 1024);
        *self = Block::default();
        self.data.text = text;
        event
    }
}

/// The values of the data lines, joined by LF.
#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) text: Vec<u8>,
    len: u64,
    /// Whether there is a data line; its value may be empty.
    pub(super) given: bool,
    /// Follows the JSON of the data, where that is asked for or too long to be kept.
    scan: Option<Scan>,
}

impl Data {
    /// A data line begins.
    pub(super) fn begin_line(&mut self) {
        if self.given {
            self.push(b"\n");
        }
        self.given = true;
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.len + bytes.len() as u64 > MESSAGE_LIMIT as u64 {
            self.scan();
        }
        if let Some(scan) = &mut self.scan {
            scan.push(bytes);
        }
        keep(&mut self.text, bytes, MESSAGE_LIMIT);
        self.len += bytes.len() as u64;
    }

    /// What is known of the JSON so far. Only the first call reads what was said before it.
    pub(super) fn scan(&mut self) -> &Scan {
        self.scan.get_or_insert_with(|| {
            let mut scan = Scan::default();
            scan.push(&self.text);
            scan
        })
    }

    fn whole(&self) -> Option<&[u8]> {
        (self.given && self.len == self.text.len() as u64).then_some(self.text.as_slice())
    }

    fn long(&mut self) -> Option<Message> {
        let scan = self.scan.take_if(|_| self.len > MESSAGE_LIMIT as u64)?;
        if scan.scanner.progress() != Progress::Complete || scan.trailing {
            return None;
        }
        let shape = scan.scanner.into_shape();
        (shape.object && shape.is_json_rpc()).then(|| Message::new(shape, None, self.len, None))
    }
}

/// Follows one JSON value.
#[derive(Debug, Default)]
pub(super) struct Scan {
    scanner: Scanner,
    /// Something stands behind the value.
    trailing: bool,
}

impl Scan {
    fn push(&mut self, bytes: &[u8]) {
        let rest = &bytes[self.scanner.push(bytes)..];
        self.trailing |= !rest.trim_ascii().is_empty();
    }

    /// Whether an object or array has begun and not ended.
    pub(super) fn is_within(&self) -> bool {
        self.scanner.progress() == Progress::Within && self.scanner.is_nested()
    }

    /// Whether a value is complete.
    pub(super) fn is_complete(&self) -> bool {
        self.scanner.progress() == Progress::Complete
    }
}
