//! A push scanner of JSON text (RFC 8259): it is given bytes as they arrive, says when a value is
//! complete, and keeps what routing needs (the id, the method, which members an object has), so
//! that a message of any length and depth is recognised in constant memory.

/// The longest `id` or `method` that is kept, in bytes of JSON text.
const CAPTURE_LIMIT: usize = 256 * 1024;
/// The longest member name that is kept, in bytes of JSON text: `jsonrpc` all in escapes fits.
const KEY_LIMIT: usize = 48;
/// The deepest nesting that is followed; what is deeper counts as broken.
const DEPTH_LIMIT: usize = 1 << 20;

/// What the scanner knows after some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing of a value has been seen, white space apart.
    Empty,
    /// A value has begun and may still be completed.
    Within,
    /// The value is complete.
    Complete,
    /// No JSON value starts like this.
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Value,
    FirstItem,
    FirstKey,
    Key,
    Colon,
    AfterItem,
    Text,
    Escape,
    Unicode(u8),
    Literal(&'static [u8]),
    Number(Number),
    Done,
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
}

impl Number {
    fn may_end(self) -> bool {
        matches!(
            self,
            Number::Zero | Number::Integer | Number::Fraction | Number::Power
        )
    }

    fn next(self, byte: u8) -> Option<Number> {
        use Number::*;
        Some(match (self, byte) {
            (Minus, b'0') => Zero,
            (Minus, b'1'..=b'9') | (Integer, b'0'..=b'9') => Integer,
            (Zero | Integer, b'.') => Point,
            (Point | Fraction, b'0'..=b'9') => Fraction,
            (Zero | Integer | Fraction, b'e' | b'E') => Exponent,
            (Exponent, b'+' | b'-') => Sign,
            (Exponent | Sign | Power, b'0'..=b'9') => Power,
            _ => return None,
        })
    }
}

/// The member names of a message that the scanner tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    JsonRpc,
    Id,
    Method,
    Params,
    Result,
    Error,
    Other,
}

/// What is known of a top-level object once it is complete.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    /// Whether the value is an object.
    pub(crate) object: bool,
    /// Whether the value is an array.
    pub(crate) array: bool,
    /// Whether a string holds a raw line feed or carriage return.
    pub(crate) raw_break: bool,
    /// The members that were seen, duplicates included, as a set of bits by [`Member`].
    members: u8,
    /// The text of the `id`, if there is one and it is not too long.
    pub(crate) id: Option<Vec<u8>>,
    /// The text of the `method`, if there is one and it is not too long.
    pub(crate) method: Option<Vec<u8>>,
}

impl Shape {
    pub(crate) fn has(&self, member: Member) -> bool {
        self.members & (1 << member as u8) != 0
    }

    /// Whether the object has anything of JSON-RPC about it.
    pub(crate) fn is_json_rpc(&self) -> bool {
        [
            Member::JsonRpc,
            Member::Method,
            Member::Result,
            Member::Error,
        ]
        .into_iter()
        .any(|member| self.has(member))
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Scanner {
    state: State,
    /// One entry for each open container: true for an object.
    open: Vec<bool>,
    key: Vec<u8>,
    in_key: bool,
    capture: Option<(Member, Vec<u8>)>,
    shape: Shape,
}

impl Default for Scanner {
    fn default() -> Self {
        Scanner {
            state: State::Value,
            open: Vec::new(),
            key: Vec::new(),
            in_key: false,
            capture: None,
            shape: Shape::default(),
        }
    }
}

impl Scanner {
    pub(crate) fn progress(&self) -> Progress {
        match self.state {
            State::Done => Progress::Complete,
            State::Broken => Progress::Broken,
            State::Value if self.open.is_empty() => Progress::Empty,
            _ => Progress::Within,
        }
    }

    /// Whether an object or array has begun and not ended.
    pub(crate) fn is_nested(&self) -> bool {
        !self.open.is_empty()
    }

    /// What has been seen of the value.
    pub(crate) fn into_shape(self) -> Shape {
        self.shape
    }

    /// Reads bytes until the value is complete or broken; says how many were read.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            // The inside of a string is most of a long message: skip to what matters.
            if self.state == State::Text && !self.in_key {
                let run = bytes[at..]
                    .iter()
                    .position(|byte| *byte == b'"' || *byte == b'\\' || *byte < 0x20)
                    .unwrap_or(bytes.len() - at);
                if run > 0 {
                    self.keep(&bytes[at..at + run]);
                    at += run;
                    continue;
                }
            }
            match self.step(bytes[at]) {
                Consumed::Yes => at += 1,
                Consumed::No => {}
            }
            if matches!(self.state, State::Done | State::Broken) {
                break;
            }
        }
        at
    }

    /// The text ends here: a number at the top level may be complete by it.
    pub(crate) fn finish(&mut self) {
        if let State::Number(number) = self.state
            && self.open.is_empty()
            && number.may_end()
        {
            self.state = State::Done;
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some((_, text)) = &mut self.capture {
            if text.len() + bytes.len() > CAPTURE_LIMIT {
                self.capture = None;
            } else {
                text.extend_from_slice(bytes);
            }
        }
    }

    fn step(&mut self, byte: u8) -> Consumed {
        let blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        match self.state {
            State::Done | State::Broken => return Consumed::No,
            State::Number(number) => match number.next(byte) {
                Some(next) => self.state = State::Number(next),
                None if number.may_end() => {
                    self.value_ended();
                    return Consumed::No;
                }
                None => self.state = State::Broken,
            },
            State::Literal(rest) => {
                if rest.first() == Some(&byte) {
                    self.keep(&[byte]);
                    if rest.len() == 1 {
                        self.value_ended();
                    } else {
                        self.state = State::Literal(&rest[1..]);
                    }
                    return Consumed::Yes;
                }
                self.state = State::Broken;
            }
            State::Text => match byte {
                b'"' if self.in_key => {
                    self.in_key = false;
                    self.state = State::Colon;
                }
                b'"' => {
                    self.keep(b"\"");
                    self.value_ended();
                    return Consumed::Yes;
                }
                b'\\' => self.state = State::Escape,
                b'\n' | b'\r' => self.shape.raw_break = true,
                0..0x20 => self.state = State::Broken,
                _ => {}
            },
            State::Escape => match byte {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.state = State::Text,
                b'u' => self.state = State::Unicode(4),
                _ => self.state = State::Broken,
            },
            State::Unicode(left) => {
                self.state = match (byte.is_ascii_hexdigit(), left) {
                    (false, _) => State::Broken,
                    (true, 1) => State::Text,
                    (true, _) => State::Unicode(left - 1),
                }
            }
            _ if blank => {}
            State::Value => self.begin_value(byte),
            State::FirstItem if byte == b']' => {
                self.close(false);
                return Consumed::Yes;
            }
            State::FirstItem => self.begin_value(byte),
            State::FirstKey if byte == b'}' => {
                self.close(true);
                return Consumed::Yes;
            }
            State::FirstKey | State::Key => {
                if byte == b'"' {
                    self.key.clear();
                    self.in_key = true;
                    self.keep(&[byte]);
                    self.state = State::Text;
                    return Consumed::Yes;
                }
                self.state = State::Broken;
            }
            State::Colon => {
                if byte == b':' {
                    self.state = State::Value;
                    self.begin_member();
                    if self.open.len() > 1 {
                        self.keep(&[byte]);
                    }
                    return Consumed::Yes;
                }
                self.state = State::Broken;
            }
            State::AfterItem => match (byte, self.open.last()) {
                (b',', Some(true)) => self.state = State::Key,
                (b',', Some(false)) => self.state = State::Value,
                (b'}', Some(true)) => {
                    self.close(true);
                    return Consumed::Yes;
                }
                (b']', Some(false)) => {
                    self.close(false);
                    return Consumed::Yes;
                }
                _ => self.state = State::Broken,
            },
        }
        if self.in_key && self.open.len() == 1 && self.key.len() < KEY_LIMIT {
            self.key.push(byte);
        }
        if !blank || matches!(self.state, State::Text) {
            self.keep(&[byte]);
        }
        Consumed::Yes
    }

    fn begin_value(&mut self, byte: u8) {
        if self.open.is_empty() {
            self.shape.object = byte == b'{';
            self.shape.array = byte == b'[';
        }
        self.state = match byte {
            b'{' | b'[' if self.open.len() == DEPTH_LIMIT => State::Broken,
            b'{' => {
                self.open.push(true);
                State::FirstKey
            }
            b'[' => {
                self.open.push(false);
                State::FirstItem
            }
            b'"' => State::Text,
            b't' => State::Literal(b"rue"),
            b'f' => State::Literal(b"alse"),
            b'n' => State::Literal(b"ull"),
            b'-' => State::Number(Number::Minus),
            b'0' => State::Number(Number::Zero),
            b'1'..=b'9' => State::Number(Number::Integer),
            _ => State::Broken,
        };
    }

    fn begin_member(&mut self) {
        if self.open.len() != 1 {
            return;
        }
        let name = if self.key.contains(&b'\\') {
            let quoted = [b"\"", self.key.as_slice(), b"\""].concat();
            serde_json::from_slice::<String>(&quoted)
                .map_or_else(|_| Vec::new(), String::into_bytes)
        } else {
            std::mem::take(&mut self.key)
        };
        let member = match name.as_slice() {
            b"jsonrpc" => Member::JsonRpc,
            b"id" => Member::Id,
            b"method" => Member::Method,
            b"params" => Member::Params,
            b"result" => Member::Result,
            b"error" => Member::Error,
            _ => Member::Other,
        };
        self.shape.members |= 1 << member as u8;
        self.capture = matches!(member, Member::Id | Member::Method).then(|| (member, Vec::new()));
    }

    fn close(&mut self, object: bool) {
        if self.open.pop() != Some(object) {
            self.state = State::Broken;
            return;
        }
        self.keep(if object { b"}" } else { b"]" });
        self.value_ended();
    }

    fn value_ended(&mut self) {
        if self.open.len() == 1
            && let Some((member, text)) = self.capture.take()
        {
            match member {
                Member::Id => self.shape.id = Some(text),
                _ => self.shape.method = Some(text),
            }
        }
        self.state = if self.open.is_empty() {
            State::Done
        } else {
            State::AfterItem
        };
    }
}

enum Consumed {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> (Progress, usize, Shape) {
        let mut scanner = Scanner::default();
        let read = scanner.push(text.as_bytes());
        scanner.finish();
        (scanner.progress(), read, scanner.into_shape())
    }

    #[test]
    fn values_are_complete_where_serde_json_says_so() {
        for text in [
            "{}",
            "[]",
            "0",
            "-1.5e+3",
            "\"a\\u00e9\\n\"",
            "true",
            "null",
            "[1,{\"a\":[]},\"x\"]",
            "{\"a\":{\"b\":1,\"c\":[1,2]},\"d\":null}",
            "[",
            "{\"a\"}",
            "{\"a\":1,}",
            "[1,]",
            "01",
            "-",
            "1.",
            "\"\\x\"",
            "nul",
            "tru e",
            "{a:1}",
            "[1 2]",
            "\"\t\"",
            "1e",
            "]",
            "}",
            "{]",
            "[}",
        ] {
            let complete = scan(text).0 == Progress::Complete && scan(text).1 == text.len();
            let expected = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            assert_eq!(complete, expected, "{text}");
        }
    }

    #[test]
    fn what_routing_needs_is_kept_however_the_text_is_cut() {
        let text = r#" {"\u0069d" : {"a": [1, "x y"]}, "x":{"id":2,"method":"no"}, "method":"to\u006fls/list","params":{},"jsonrpc":"2.0"}"#;
        for size in 1..text.len() {
            let mut scanner = Scanner::default();
            for chunk in text.as_bytes().chunks(size) {
                scanner.push(chunk);
            }
            assert_eq!(scanner.progress(), Progress::Complete);
            let shape = scanner.into_shape();
            assert_eq!(shape.id.as_deref(), Some(&br#"{"a":[1,"x y"]}"#[..]));
            assert_eq!(shape.method.as_deref(), Some(&br#""to\u006fls/list""#[..]));
            assert!(shape.has(Member::Params) && shape.has(Member::JsonRpc));
            assert!(!shape.has(Member::Result) && !shape.has(Member::Error));
        }
    }

    #[test]
    fn scalar_ids_are_kept() {
        for id in ["7", "-0.5", "null", "true", "\"a\\\"b\""] {
            let shape = scan(&format!("{{\"id\":{id}}}")).2;
            assert_eq!(shape.id.as_deref(), Some(id.as_bytes()), "{id}");
        }
    }

    #[test]
    fn a_raw_line_break_in_a_string_is_noted() {
        assert!(scan("{\"a\":\"x\ny\"}").2.raw_break);
        assert!(!scan("{\"a\":\n\"xy\"}").2.raw_break);
    }

    #[test]
    fn deep_nesting_ends_in_a_verdict() {
        let mut scanner = Scanner::default();
        for _ in 0..DEPTH_LIMIT / 1024 + 1 {
            scanner.push(&[b'['; 1024]);
        }
        assert_eq!(scanner.progress(), Progress::Broken);
    }
}
