//! The line triage of stdio: cuts stdout at LF, puts each piece into the first class that fits,
//! and gets the messages out of it even where the framing is broken, so that one defect gives
//! one finding and the run goes on.

use super::{
    MESSAGE_LIMIT, Message,
    scan::{Progress, Scanner, Shape},
    utf8::Utf8,
};

/// A value that is spread over lines is followed over so many lines …
const FOLD_LINES: usize = 10_000;
/// … and so many bytes.
const FOLD_BYTES: u64 = 4 * 1024 * 1024;
/// When a fold proves to be none, so many of its lines are looked at one by one.
const UNFOLD_LINES: usize = 16;
/// Lines up to this length are searched for a message behind other text.
const SALVAGE_BYTES: usize = 256 * 1024;
/// A message that breaks off behind this length was cut, not mixed with another.
const CUT_BYTES: u64 = 64_000;
/// So much of a line is kept for evidence.
const EXCERPT_BYTES: usize = 4 * 1024;

/// The classes of the line triage, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Framed by something other than LF: a `Content-Length` header, NUL, RS or CR alone.
    Framed,
    /// A byte order mark stands in front.
    Bom,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Nothing, or white space only.
    Blank,
    /// One JSON-RPC message.
    Message,
    /// An array of JSON-RPC objects, or an empty one.
    Array,
    /// JSON, but nothing of JSON-RPC about it.
    Alien,
    /// Two or more JSON values in a row.
    Glued,
    /// Blank or a message once ANSI escape sequences are taken out.
    Ansi,
    /// One value over several lines, broken between tokens.
    Folded,
    /// One value with a raw line break inside a string.
    BrokenText,
    /// Not JSON, mentions `"jsonrpc"`, read while several requests were in flight.
    Torn,
    /// Starts as a message and is cut off where pipes and buffers end, at 64 KiB or behind.
    Cut,
    /// Anything else.
    Text,
}

impl Class {
    /// The clause that owns the class, so that one defect gives one finding.
    pub fn clause(self) -> &'static str {
        match self {
            Class::Framed => "stdio/newline-delimited",
            Class::Bom => "stdio/stdout-no-bom",
            Class::NotUtf8 => "stdio/stdout-utf8",
            Class::Blank => "stdio/stdout-no-blank-lines",
            Class::Array => "stdio/no-batch-output",
            Class::Alien => "stdio/stdout-json-is-jsonrpc",
            Class::Glued => "stdio/one-message-per-line",
            Class::Ansi => "stdio/stdout-no-ansi",
            Class::Folded => "stdio/no-embedded-newlines",
            Class::BrokenText => "stdio/newline-in-string-escaped",
            Class::Torn => "stdio/atomic-writes",
            Class::Cut => "stdio/large-output",
            Class::Message | Class::Text => "stdio/stdout-only-messages",
        }
    }
}

/// A piece of stdout between two line feeds (several for a folded value).
#[derive(Clone, Debug)]
pub struct Line {
    /// The class of the triage.
    pub class: Class,
    /// Where the line starts, in bytes from the start of the stream.
    pub offset: u64,
    /// The length without the LF, in bytes.
    pub len: u64,
    /// The first 4 KiB.
    pub excerpt: Vec<u8>,
    /// The offending part of the excerpt, where it is not the whole.
    pub mark: Option<std::ops::Range<usize>>,
    /// Whether a LF ended it (false at the end of the stream).
    pub terminated: bool,
    /// Whether it holds bytes beyond ASCII.
    pub beyond_ascii: bool,
    /// For an array: whether it is empty, and whether it mixes responses with other messages.
    pub array: Option<ArrayKinds>,
}

/// What an array on a line holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArrayKinds {
    /// How many elements are responses.
    pub responses: usize,
    /// How many elements are requests or notifications.
    pub others: usize,
}

/// What [`Lines`] finds.
#[derive(Debug)]
pub enum Found {
    /// A message, as soon as its last byte is in.
    Message(Message),
    /// A line, when its end is in.
    Line(Line),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Lines {
    /// What was read since the last line ended; the first [`MESSAGE_LIMIT`] bytes of it.
    text: Vec<u8>,
    len: u64,
    /// Where `text` starts in the stream.
    offset: u64,
    /// Where the pieces of a fold start in `text`; empty unless folding.
    folds: Vec<usize>,
    scanner: Scanner,
    value_start: u64,
    values: Values,
    utf8: Utf8,
    broken: bool,
    framed: bool,
    /// The body length that a `Content-Length` header gave.
    header: Option<u64>,
    body_left: Option<u64>,
    /// How many arrays have been read.
    arrays: u32,
}

#[derive(Clone, Debug, Default)]
struct Values {
    count: usize,
    /// Where the second value starts.
    second: Option<u64>,
    numbers_first: bool,
    rpc_objects: usize,
    array: Option<ArrayKinds>,
    other: usize,
    raw_break: bool,
    /// A value was completed after a line feed inside it.
    folded: bool,
}

impl Lines {
    /// Reads a chunk. `in_flight` is how many requests are unanswered while it arrives.
    pub fn push(&mut self, chunk: &[u8], in_flight: usize, found: &mut dyn FnMut(Found)) {
        let mut rest = chunk;
        while !rest.is_empty() {
            if let Some(left) = self.body_left {
                let take = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                self.feed(&rest[..take], in_flight, found);
                rest = &rest[take..];
                self.body_left = Some(left - take as u64);
                if left == take as u64 {
                    self.body_left = None;
                    self.framed = true;
                    self.close(true, in_flight, found);
                }
                continue;
            }
            match rest.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    self.feed(&rest[..end], in_flight, found);
                    self.line_feed(in_flight, found);
                    rest = &rest[end + 1..];
                }
                None => {
                    self.feed(rest, in_flight, found);
                    break;
                }
            }
        }
    }

    /// The stream has ended because the process was killed: what it was writing then says nothing.
    pub(crate) fn cut(&mut self, in_flight: usize, found: &mut dyn FnMut(Found)) {
        let begun = self.text.trim_ascii_start().starts_with(b"{");
        if begun && self.scanner.progress() != Progress::Complete {
            self.len = 0;
        }
        self.end(in_flight, found);
    }

    /// The stream has ended.
    pub fn end(&mut self, in_flight: usize, found: &mut dyn FnMut(Found)) {
        if !self.folds.is_empty() && !self.values.folded {
            self.unfold(in_flight, found);
        }
        if self.len > 0 {
            self.close(false, in_flight, found);
        }
    }

    /// What stands in the buffer without its LF.
    pub fn pending(&self) -> Option<&[u8]> {
        (self.len > 0).then_some(self.text.as_slice())
    }

    /// How long the unfinished line is, in bytes.
    pub fn pending_len(&self) -> u64 {
        self.len
    }

    fn feed(&mut self, bytes: &[u8], in_flight: usize, found: &mut dyn FnMut(Found)) {
        let room = MESSAGE_LIMIT.saturating_sub(self.text.len());
        self.text.extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.utf8.push(bytes);
        let mut at = 0;
        while at < bytes.len() && !self.broken {
            let here = self.len + at as u64;
            if self.scanner.progress() == Progress::Empty && self.skips(bytes[at], here) {
                at += 1;
                continue;
            }
            if self.scanner.progress() == Progress::Empty {
                self.value_start = here;
            }
            at += self.scanner.push(&bytes[at..]);
            match self.scanner.progress() {
                Progress::Complete => self.value_ended(self.len + at as u64, found),
                Progress::Broken => self.broken = true,
                Progress::Empty | Progress::Within => {}
            }
        }
        self.len += bytes.len() as u64;
        if self.broken && !self.folds.is_empty() && !self.values.folded {
            self.unfold(in_flight, found);
        }
    }

    /// What may stand between values without being part of one: white space, a BOM in front, and
    /// the separators of other framings.
    fn skips(&mut self, byte: u8, here: u64) -> bool {
        match byte {
            b' ' | b'\t' | b'\r' => true,
            0 | 0x1e => {
                self.framed = true;
                true
            }
            _ => {
                here < 3
                    && byte == [0xef, 0xbb, 0xbf][here as usize]
                    && self.text.starts_with(&[0xef])
            }
        }
    }

    fn value_ended(&mut self, end: u64, found: &mut dyn FnMut(Found)) {
        let shape = std::mem::take(&mut self.scanner).into_shape();
        let text = usize::try_from(end)
            .ok()
            .and_then(|end| self.text.get(self.value_start as usize..end));
        self.values.count += 1;
        if self.values.count == 2 {
            self.values.second = Some(self.value_start);
        }
        self.values.raw_break |= shape.raw_break;
        self.values.folded |= !self.folds.is_empty();
        let len = end - self.value_start;
        if shape.object && shape.is_json_rpc() {
            self.values.rpc_objects += 1;
            found(Found::Message(Message::new(shape, text, len, None)));
        } else if shape.array
            && let Some((kinds, messages)) = text.and_then(|text| elements(text, self.arrays + 1))
        {
            self.arrays += 1;
            self.values.array = Some(kinds);
            messages
                .into_iter()
                .for_each(|message| found(Found::Message(message)));
        } else {
            self.values.numbers_first |=
                self.values.count == 1 && text.is_some_and(|text| text[0].is_ascii_digit());
            self.values.other += 1;
        }
    }

    fn line_feed(&mut self, in_flight: usize, found: &mut dyn FnMut(Found)) {
        if self.header.is_some() {
            return self.header_line();
        }
        if self.folds.is_empty()
            && let Some(length) = content_length(&self.text)
        {
            self.header = Some(length);
            self.text.push(b'\n');
            self.len += 1;
            return;
        }
        let within = !self.broken && self.scanner.is_nested();
        if within && self.folds.len() < FOLD_LINES && self.len < FOLD_BYTES {
            self.folds.push(self.text.len() + 1);
            self.feed(b"\n", in_flight, found);
            return;
        }
        if !self.folds.is_empty() && !self.values.folded {
            self.unfold(in_flight, found);
        }
        self.close(true, in_flight, found);
    }

    /// A line of a header block; a blank one ends it, and the body follows.
    fn header_line(&mut self) {
        let block = self.text.as_slice();
        let ended = block.ends_with(b"\n") || block.ends_with(b"\n\r");
        self.text.push(b'\n');
        self.len += 1;
        if ended {
            self.body_left = self.header.take().filter(|length| *length > 0);
            self.broken = false;
            self.scanner = Scanner::default();
        } else if self.len > 8 * 1024 {
            // No header block is that long: back to lines.
            self.header = None;
        }
    }

    /// What looked like one value over several lines is none: each line stands for itself.
    fn unfold(&mut self, in_flight: usize, found: &mut dyn FnMut(Found)) {
        let text = std::mem::take(&mut self.text);
        let starts = std::mem::take(&mut self.folds);
        let known = self.values.count;
        let (offset, len) = (self.offset, self.len);
        self.reset(offset);
        let mut at = 0;
        for (number, next) in starts.iter().copied().enumerate() {
            let line = &text[at.min(text.len())..next.saturating_sub(1).min(text.len())];
            // Messages in front of the fold have been told already.
            let mut skip = if number == 0 { known } else { 0 };
            let mut tell = |what: Found| match what {
                Found::Message(_) if skip > 0 => skip -= 1,
                what => found(what),
            };
            if starts.len() > UNFOLD_LINES {
                self.broken = true;
            }
            self.feed(line, in_flight, &mut tell);
            self.broken |= self.scanner.progress() == Progress::Within;
            self.close(true, in_flight, &mut tell);
            at = next;
        }
        let last = &text[at.min(text.len())..];
        // A line longer than what is kept cannot be scanned again.
        let lost = len.saturating_sub(text.len() as u64);
        self.feed(last, in_flight, found);
        self.len += lost;
        self.broken |= lost > 0;
    }

    fn reset(&mut self, offset: u64) {
        *self = Lines {
            text: std::mem::take(&mut self.text),
            offset,
            arrays: self.arrays,
            ..Lines::default()
        };
        self.text.clear();
        // One long message must not hold its memory for the rest of the session.
        self.text.shrink_to(64 * 1024);
    }

    fn close(&mut self, terminated: bool, in_flight: usize, found: &mut dyn FnMut(Found)) {
        self.scanner.finish();
        if !self.broken && self.scanner.progress() == Progress::Complete {
            self.value_ended(self.len, found);
        }
        let (class, mark) = self.triage(terminated, in_flight, found);
        let excerpt = self.text[..self.text.len().min(EXCERPT_BYTES)].to_vec();
        found(Found::Line(Line {
            class,
            offset: self.offset,
            len: self.len,
            mark: mark.filter(|mark| mark.end <= excerpt.len()),
            excerpt,
            terminated,
            beyond_ascii: !self.utf8.is_ascii(),
            array: self.values.array,
        }));
        let next = self.offset + self.len + u64::from(terminated && !self.framed);
        self.reset(next);
    }

    fn triage(
        &mut self,
        terminated: bool,
        in_flight: usize,
        found: &mut dyn FnMut(Found),
    ) -> (Class, Option<std::ops::Range<usize>>) {
        let text = self.text.strip_suffix(b"\r").unwrap_or(&self.text);
        let values = &self.values;
        let within = self.scanner.progress() == Progress::Within;
        let message = values.rpc_objects > 0;
        if looks_like_utf16(text) {
            return (Class::NotUtf8, None);
        }
        if content_length(text.split(|byte| *byte == b'\n').next().unwrap_or_default()).is_some()
            || (self.framed && message)
        {
            return (Class::Framed, None);
        }
        if text.starts_with(b"\xef\xbb\xbf") {
            return (Class::Bom, Some(0..3));
        }
        if let Some(at) = self.utf8.end() {
            return (
                Class::NotUtf8,
                usize::try_from(at).ok().map(|at| at..at + 1),
            );
        }
        if self.len <= self.text.len() as u64 && text.iter().all(u8::is_ascii_whitespace) {
            return (Class::Blank, None);
        }
        if !self.broken && !within {
            let second = values.second.and_then(|at| usize::try_from(at).ok());
            let glued = second.map(|second| second..text.len());
            return match (values.count, &values.array) {
                _ if values.raw_break => (Class::BrokenText, None),
                _ if values.folded && (message || values.array.is_some()) => (Class::Folded, None),
                (1, _) if message => (Class::Message, None),
                (1, Some(_)) => (Class::Array, None),
                (1, None) => (Class::Alien, None),
                (2.., _) if values.numbers_first && message => (Class::Framed, None),
                (2.., _)
                    if second
                        .and_then(|at| text.get(..at))
                        .is_some_and(|text| text.ends_with(b"\r")) =>
                {
                    (Class::Framed, None)
                }
                // Without any LF the missing delimiter is the finding, and another clause's.
                (2.., _) if !terminated => (Class::Message, None),
                _ => (Class::Glued, glued),
            };
        }
        if let Some(at) = text.iter().position(|byte| *byte == 0x1b) {
            let plain = without_escapes(text);
            let blank = plain.iter().all(u8::is_ascii_whitespace);
            if blank || salvage(&plain, 0, found) || ends_in_value(&plain) {
                return (Class::Ansi, Some(at..at + 1));
            }
        }
        let rpc = find(&text[..text.len().min(SALVAGE_BYTES)], b"\"jsonrpc\"").is_some();
        let whole = message || values.array.is_some();
        if rpc && !whole && self.len >= CUT_BYTES && text.trim_ascii_start().starts_with(b"{") {
            return (Class::Cut, None);
        }
        // A whole value with something in front or behind is decorated, and not torn.
        let torn = in_flight > 1 && rpc && !whole && !holds_value(text);
        let class = if torn { Class::Torn } else { Class::Text };
        if values.count == 0 && text.len() <= SALVAGE_BYTES {
            let mut braces = (0..text.len()).filter(|at| text[*at] == b'{').take(64);
            if let Some(at) = braces.find(|at| salvage(text, *at, found)) {
                // A whole message behind plain text is not torn.
                let decorated = !text[..at].contains(&b'{');
                return (if decorated { Class::Text } else { class }, Some(0..at));
            }
        }
        (class, None)
    }
}

/// Whether the text is one JSON value from its first brace or bracket to its end.
fn ends_in_value(text: &[u8]) -> bool {
    let start = text
        .iter()
        .position(|byte| matches!(byte, b'{' | b'['))
        .unwrap_or(text.len());
    let value = text[start..].trim_ascii();
    if find(&text[..start], b"\"jsonrpc\"").is_some() {
        return false;
    }
    let mut scanner = Scanner::default();
    scanner.push(value) == value.len() && scanner.progress() == Progress::Complete
}

/// Whether a whole JSON object stands in the text, from its first brace on.
fn holds_value(text: &[u8]) -> bool {
    let Some(start) = text.iter().position(|byte| *byte == b'{') else {
        return false;
    };
    if find(&text[..start], b"\"jsonrpc\"").is_some() {
        return false;
    }
    let mut scanner = Scanner::default();
    scanner.push(&text[start..]);
    scanner.progress() == Progress::Complete
}

/// Whether every other byte is NUL: text in UTF-16.
fn looks_like_utf16(text: &[u8]) -> bool {
    let head = &text[..text.len().min(64)];
    let nul = |from: usize| head.iter().skip(from).step_by(2).all(|byte| *byte == 0);
    head.len() >= 8 && (nul(0) || nul(1) || head.iter().skip(3).step_by(2).all(|byte| *byte == 0))
}

/// Tells the message that `text` holds from `at` to its end, if it does.
fn salvage(text: &[u8], at: usize, found: &mut dyn FnMut(Found)) -> bool {
    let text = text[at..].trim_ascii();
    let mut scanner = Scanner::default();
    if scanner.push(text) != text.len() || scanner.progress() != Progress::Complete {
        return false;
    }
    let shape = scanner.into_shape();
    let rpc = shape.object && shape.is_json_rpc();
    if rpc {
        found(Found::Message(Message::new(
            shape,
            Some(text),
            text.len() as u64,
            None,
        )));
    }
    rpc
}

/// The messages of a JSON text: one, or those of an array. None if it is anything else.
pub(crate) fn read_value(text: &[u8]) -> Vec<Message> {
    let mut whole = Whole::default();
    whole.push(text);
    whole.read()
}

/// A JSON text that comes in pieces, such as the body of an HTTP answer.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    scanner: Scanner,
    /// The first [`MESSAGE_LIMIT`] bytes.
    text: Vec<u8>,
    len: u64,
    /// Something stands behind the value.
    trailing: bool,
}

impl Whole {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let room = MESSAGE_LIMIT.saturating_sub(self.text.len());
        self.text.extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.len += bytes.len() as u64;
        let read = self.scanner.push(bytes);
        let rest = &bytes[read..];
        self.trailing |= !rest.trim_ascii().is_empty();
    }

    /// The first bytes: all of them unless it is longer than a message may be.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The messages, if the text is one, or an array of them, and an answer with this status. A
    /// refusal that does not name JSON-RPC is none of its messages, though it has an `error`.
    pub(crate) fn messages(&mut self, status: u16) -> Vec<Message> {
        let mut messages = self.read();
        let names = |message: &Message| {
            message
                .value()
                .is_none_or(|value| value.get("jsonrpc").is_some())
        };
        messages.retain(|message| status < 300 || names(message));
        messages
    }

    fn read(&mut self) -> Vec<Message> {
        if self.trailing || self.scanner.progress() != Progress::Complete {
            return Vec::new();
        }
        let shape = std::mem::take(&mut self.scanner).into_shape();
        let text = (self.text.len() as u64 == self.len).then_some(self.text.as_slice());
        if shape.array {
            let elements = text.and_then(|text| elements(text, 1));
            return elements.map(|(_, messages)| messages).unwrap_or_default();
        }
        if !shape.object || !shape.is_json_rpc() {
            return Vec::new();
        }
        vec![Message::new(shape, text, self.len, None)]
    }
}

/// The elements of an array, if each is a JSON-RPC object.
fn elements(text: &[u8], number: u32) -> Option<(ArrayKinds, Vec<Message>)> {
    let raw: Vec<&serde_json::value::RawValue> = serde_json::from_slice(text).ok()?;
    let mut kinds = ArrayKinds::default();
    let mut messages = Vec::with_capacity(raw.len());
    for element in raw {
        let text = element.get().as_bytes();
        let mut scanner = Scanner::default();
        scanner.push(text);
        let shape: Shape = scanner.into_shape();
        if !shape.object || !shape.is_json_rpc() {
            return None;
        }
        let message = Message::new(shape, Some(text), text.len() as u64, Some(number));
        match message.method {
            Some(_) => kinds.others += 1,
            None => kinds.responses += 1,
        }
        messages.push(message);
    }
    Some((kinds, messages))
}

fn content_length(line: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"content-length:";
    let head = line.get(..NAME.len())?;
    if !head.eq_ignore_ascii_case(NAME) {
        return None;
    }
    let number = std::str::from_utf8(&line[NAME.len()..]).ok()?.trim();
    number.parse().ok()
}

/// The text without ANSI escape sequences (ECMA-48: CSI, OSC, and two-byte escapes).
fn without_escapes(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != 0x1b {
            plain.push(byte);
            continue;
        }
        let skip = match rest.first() {
            Some(b'[') => rest[1..]
                .iter()
                .position(|byte| (0x40..=0x7e).contains(byte))
                .map_or(rest.len(), |end| end + 2),
            Some(b']') => rest
                .iter()
                .position(|byte| *byte == 7 || *byte == 0x1b)
                .map_or(rest.len(), |end| {
                    end + 1 + usize::from(rest.get(end + 1) == Some(&b'\\'))
                }),
            Some(_) => 1,
            None => 0,
        };
        rest = &rest[skip..];
    }
    plain
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::{Found, Lines, Whole};

    #[test]
    fn a_refusal_is_a_message_only_if_it_names_json_rpc() {
        let messages = |text: &str, status| {
            let mut whole = Whole::default();
            whole.push(text.as_bytes());
            whole.messages(status).len()
        };
        let framework = r#"{"status":405,"error":"Method Not Allowed"}"#;
        assert_eq!(messages(framework, 405), 0);
        assert_eq!(messages(framework, 200), 1);
        let error = r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"no"}}"#;
        assert_eq!(messages(error, 405), 1);
    }

    #[test]
    fn what_a_process_was_writing_when_it_was_killed_is_no_line() {
        let lines_of = |text: &[u8], killed: bool| {
            let (mut lines, mut found) = (Lines::default(), 0);
            let mut count = |what: Found| found += usize::from(matches!(what, Found::Line(_)));
            lines.push(text, 0, &mut count);
            match killed {
                true => lines.cut(0, &mut count),
                false => lines.end(0, &mut count),
            }
            found
        };
        let begun = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"resu";
        assert_eq!(lines_of(begun, true), 0);
        assert_eq!(lines_of(begun, false), 1);
        assert_eq!(lines_of(b"bye", true), 1);
    }
}
