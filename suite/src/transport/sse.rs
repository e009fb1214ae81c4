//! The reader of event streams, by the rules of the WHATWG: cuts a body into events as its bytes
//! arrive, and tells what readers ignore or lose, which is what a server's author cannot see.

use std::{
    mem::{replace, take},
    ops::Range,
    rc::Rc,
};

use super::block::{Block, EXCERPT_BYTES, keep};
use crate::tape::{Message, Utf8};

/// The longest type, id or retry value that is kept, in bytes.
const VALUE_LIMIT: usize = 64 * 1024;
/// The length of the longest field name, `event` or `retry`.
const NAME_LEN: usize = 5;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What [`SseReader`] finds.
#[derive(Debug)]
pub enum SseFound {
    /// The lines up to a blank line, with a field among them.
    Event(SseEvent),
    /// A line that is not as it should be. It comes before the event that it is part of.
    Flaw(SseFlaw),
    /// A comment; servers keep connections alive by them.
    Comment,
}

/// One event of a stream.
#[derive(Clone, Debug)]
pub struct SseEvent {
    /// The type; `message` where none was given.
    pub kind: String,
    /// Whether the type was given.
    pub named: bool,
    /// The values of the data lines, joined by LF. None if there are none, or if they are
    /// longer than [`MESSAGE_LIMIT`](crate::tape::MESSAGE_LIMIT).
    pub data: Option<Rc<[u8]>>,
    /// The length of the data in bytes, kept or not.
    pub len: u64,
    /// The message that is the whole of data too long to be kept: its text is lost, but it is
    /// routed like any other.
    pub long: Option<Message>,
    /// The id that this very event was given.
    pub id: Option<String>,
    /// The last id that the stream has given, with this event: what a reader resumes from.
    pub last_id: Rc<str>,
    /// The value of its last retry field as it stands, digits or not.
    pub retry: Option<Vec<u8>>,
    /// The first 4 KiB of its lines as they stood, comments in front of it left out.
    pub raw: Vec<u8>,
    /// Whether readers get to see it: an event without a data line sets the id and the time to
    /// reconnect, and is no event to them.
    pub dispatched: bool,
}

/// Something that readers of the stream ignore, lose or mend.
#[derive(Clone, Debug)]
pub struct SseFlaw {
    /// What is wrong.
    pub kind: SseFlawKind,
    /// The first 4 KiB of the line; of an unterminated event, of all its lines.
    pub line: Vec<u8>,
    /// How long that is in full.
    pub len: u64,
    /// The offending part of `line`, where it is not the whole.
    pub mark: Option<Range<usize>>,
    /// Of an unterminated event: whether its data is one whole JSON value.
    pub complete: bool,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SseFlawKind {
    /// A line that continues the JSON of a data line before it, without being one. Readers lose it.
    LostLine,
    /// Any other line that is no comment and has no known field name. Readers ignore it.
    UnknownField,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// The value of a retry field is not made of digits.
    BadRetry,
    /// An id with a NUL in it, which readers ignore.
    NulInId,
    /// A type, id or retry value longer than 64 KiB. The format has no such limit; a longer id
    /// is ignored, of the others the start is kept.
    LongValue,
    /// The stream ended inside an event that has data. Readers drop it.
    Unterminated,
}

/// Cuts a body into events; chunking at any byte gives the same.
#[derive(Debug, Default)]
pub struct SseReader {
    block: Block,
    line: Line,
    last_id: Rc<str>,
    /// How many bytes of a byte order mark stand at the start of the stream; three as well when
    /// it turned out to be none.
    bom: usize,
    /// The last byte was a CR, so that a LF now is part of the same line end.
    after_cr: bool,
    beyond_ascii: bool,
}

/// The line that is being read.
#[derive(Debug, Default)]
struct Line {
    text: Vec<u8>,
    len: u64,
    field: Option<Field>,
    /// Where the value starts.
    value_start: u64,
    skip_space: bool,
    /// The value, unless it is data.
    value: Vec<u8>,
    value_len: u64,
    utf8: Utf8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Comment,
    Data,
    Type,
    Id,
    Retry,
    Unknown,
}

impl Field {
    fn named(name: &[u8]) -> Field {
        match name {
            b"" => Field::Comment,
            b"data" => Field::Data,
            b"event" => Field::Type,
            b"id" => Field::Id,
            b"retry" => Field::Retry,
            _ => Field::Unknown,
        }
    }
}

impl SseReader {
    /// Reads a chunk.
    pub fn push(&mut self, bytes: &[u8], found: &mut dyn FnMut(SseFound)) {
        let mut rest = bytes;
        while let (Some(expected), Some((first, after))) = (BOM.get(self.bom), rest.split_first()) {
            if first == expected {
                self.bom += 1;
                rest = after;
            } else {
                self.release_bom(found);
            }
        }
        self.read(rest, found);
    }

    /// The body has ended. Not to be called where the reader of the body gave up: what stands in
    /// the buffer is no flaw then. It stays [`pending`](Self::pending) in either case.
    pub fn end(&mut self, found: &mut dyn FnMut(SseFound)) {
        self.release_bom(found);
        // Readers never see the last line; a character that the end has cut is the end's fault.
        if let Some(at) = self.line.utf8.bad() {
            found(self.line.flaw(SseFlawKind::NotUtf8, Some(at..at + 1)));
        }
        if self.block.data.given {
            found(SseFound::Flaw(SseFlaw {
                kind: SseFlawKind::Unterminated,
                line: self.block.raw.clone(),
                len: self.block.len,
                mark: None,
                complete: self.block.data.scan().is_complete(),
            }));
        }
    }

    /// The data of the event that no blank line has ended yet, that of an unfinished line
    /// included; none if it has no data.
    pub fn pending(&self) -> Option<&[u8]> {
        let data = &self.block.data;
        data.given.then_some(data.text.as_slice())
    }

    /// The first 4 KiB of its lines.
    pub fn unfinished(&self) -> &[u8] {
        &self.block.raw
    }

    /// The flaw of an event that is whole, and that no blank line has ended in good time.
    pub(crate) fn unterminated(&self) -> SseFound {
        SseFound::Flaw(SseFlaw {
            kind: SseFlawKind::Unterminated,
            line: self.unfinished().to_vec(),
            len: self.pending_len(),
            mark: None,
            complete: true,
        })
    }

    /// How long the unfinished event is, in bytes of the stream.
    pub fn pending_len(&self) -> u64 {
        self.block.len
    }

    /// The last id that was in force at a blank line, empty if none: what to resume from.
    pub fn last_event_id(&self) -> &str {
        &self.last_id
    }

    /// Whether all that was read is ASCII, so that nothing of UTF-8 was exercised.
    pub fn is_ascii(&self) -> bool {
        !self.beyond_ascii && self.line.utf8.is_ascii()
    }

    /// What looked like a byte order mark is the start of the first line.
    fn release_bom(&mut self, found: &mut dyn FnMut(SseFound)) {
        let held = replace(&mut self.bom, BOM.len());
        if held < BOM.len() {
            self.read(&BOM[..held], found);
        }
    }

    fn read(&mut self, bytes: &[u8], found: &mut dyn FnMut(SseFound)) {
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            if take(&mut self.after_cr) && *first == b'\n' {
                if self.block.len > 0 {
                    self.block.read(b"\n");
                }
                rest = &rest[1..];
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else {
                return self.feed(rest);
            };
            self.feed(&rest[..end]);
            self.after_cr = rest[end] == b'\r';
            self.line_ended(&rest[end..=end], found);
            rest = &rest[end + 1..];
        }
    }

    /// Reads a piece of a line.
    fn feed(&mut self, bytes: &[u8]) {
        self.block.read(bytes);
        let undecided = self.line.field.is_none();
        let value = self.line.feed(bytes);
        match self.line.field {
            Some(Field::Data) => {
                if undecided {
                    self.block.data.begin_line();
                }
                self.block.data.push(value);
            }
            Some(Field::Type | Field::Id | Field::Retry) => {
                keep(&mut self.line.value, value, VALUE_LIMIT);
                self.line.value_len += value.len() as u64;
            }
            Some(Field::Comment | Field::Unknown) | None => {}
        }
    }

    fn line_ended(&mut self, end: &[u8], found: &mut dyn FnMut(SseFound)) {
        if self.line.len == 0 {
            return self.blank_line(found);
        }
        self.block.read(end);
        if let Some(at) = self.line.utf8.end() {
            found(self.line.flaw(SseFlawKind::NotUtf8, Some(at..at + 1)));
        }
        self.beyond_ascii |= !self.line.utf8.is_ascii();
        let field = self.line.field.unwrap_or_else(|| {
            let field = Field::named(&self.line.text);
            if field == Field::Data {
                self.block.data.begin_line();
            }
            self.line.value_start = self.line.len;
            field
        });
        self.block.has_fields |= field != Field::Comment;
        self.field_ended(field, found);
        self.line.clear();
    }

    fn field_ended(&mut self, field: Field, found: &mut dyn FnMut(SseFound)) {
        let (line, block) = (&mut self.line, &mut self.block);
        let long = line.value_len > line.value.len() as u64;
        if long {
            found(line.flaw(SseFlawKind::LongValue, None));
        }
        match field {
            Field::Data => {}
            Field::Comment => {
                block.comment_ended();
                found(SseFound::Comment);
            }
            Field::Type => block.kind = String::from_utf8_lossy(&line.value).into_owned(),
            Field::Id => match memchr::memchr(0, &line.value) {
                Some(nul) => {
                    let at = line.value_start + nul as u64;
                    found(line.flaw(SseFlawKind::NulInId, Some(at..at + 1)));
                }
                // The start of an id could equal that of another.
                None if long => {}
                None => block.id = Some(String::from_utf8_lossy(&line.value).into_owned()),
            },
            Field::Retry => {
                if line.value.is_empty() || !line.value.iter().all(u8::is_ascii_digit) {
                    let value = Some(line.value_start..line.len);
                    found(line.flaw(SseFlawKind::BadRetry, value));
                }
                block.retry = Some(take(&mut line.value));
            }
            Field::Unknown => {
                let kind = if continues(&line.text, block) {
                    SseFlawKind::LostLine
                } else {
                    SseFlawKind::UnknownField
                };
                found(line.flaw(kind, None));
            }
        }
    }

    fn blank_line(&mut self, found: &mut dyn FnMut(SseFound)) {
        if !self.block.has_fields {
            return;
        }
        if let Some(id) = &self.block.id {
            self.last_id = id.as_str().into();
        }
        found(SseFound::Event(self.block.close(self.last_id.clone())));
    }
}

impl Line {
    /// Keeps a piece of the line; gives what of it is the value.
    fn feed<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let before = self.text.len();
        keep(&mut self.text, bytes, EXCERPT_BYTES);
        self.len += bytes.len() as u64;
        self.utf8.push(bytes);
        let mut value = bytes;
        if self.field.is_none() {
            let start = &self.text[..self.text.len().min(NAME_LEN + 1)];
            match start.iter().position(|byte| *byte == b':') {
                Some(colon) => {
                    self.field = Some(Field::named(&start[..colon]));
                    self.value_start = colon as u64 + 1;
                    self.skip_space = true;
                    value = &bytes[colon + 1 - before..];
                }
                None if start.len() > NAME_LEN => self.field = Some(Field::Unknown),
                None => return &[],
            }
        }
        if self.skip_space && !value.is_empty() {
            self.skip_space = false;
            if let Some(after) = value.strip_prefix(b" ") {
                self.value_start += 1;
                value = after;
            }
        }
        value
    }

    fn flaw(&self, kind: SseFlawKind, mark: Option<Range<u64>>) -> SseFound {
        let kept = 0..=self.text.len() as u64;
        SseFound::Flaw(SseFlaw {
            kind,
            line: self.text.clone(),
            len: self.len,
            mark: mark
                .filter(|mark| kept.contains(&mark.end))
                .map(|mark| mark.start as usize..mark.end as usize),
            complete: false,
        })
    }

    fn clear(&mut self) {
        let (mut text, mut value) = (take(&mut self.text), take(&mut self.value));
        text.clear();
        value.clear();
        *self = Line {
            text,
            value,
            ..Line::default()
        };
    }
}

/// Whether a line without a known field name goes on with the JSON of the data before it:
/// pretty-printed JSON, a raw line break inside a string, or one more value.
fn continues(line: &[u8], block: &mut Block) -> bool {
    if !block.data.given || line.trim_ascii().is_empty() {
        return false;
    }
    let scan = block.data.scan();
    if scan.is_within() {
        // An unknown field may well stand between two data lines of one value.
        !has_field_name(line)
    } else {
        scan.is_complete() && matches!(line[0], b'{' | b'[' | b'"')
    }
}

/// Whether the line has what passes for a field name and a colon.
fn has_field_name(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.len() < line.len() && !name.is_empty() && name.iter().all(plain)
}
