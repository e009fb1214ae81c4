use std::{cell::OnceCell, rc::Rc};

use serde_json::Value;

use super::{
    Exchange, Found, Id, Lines,
    scan::{Member, Shape},
};

/// What a message is in JSON-RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It has a method and an id.
    Request,
    /// It has a method and no id.
    Notification,
    /// It has a result or an error, or nothing but an id.
    Response,
}

/// One JSON-RPC message as it was read. Its text is kept unless it is longer than
/// [`MESSAGE_LIMIT`](super::MESSAGE_LIMIT); what routing needs is kept in any case.
#[derive(Clone, Debug)]
pub struct Message {
    text: Option<Rc<[u8]>>,
    len: u64,
    shape: Rc<Shape>,
    value: Rc<OnceCell<Option<Value>>>,
    /// The id, if there is one.
    pub id: Option<Id>,
    /// The method, if there is one and it is a string.
    pub method: Option<Rc<str>>,
    /// The array that it was an element of, counted from 1 in its session.
    pub batch: Option<u32>,
    /// The HTTP exchange that brought it; none over stdio.
    pub exchange: Option<Rc<Exchange>>,
}

impl Message {
    /// The messages in a text of ours: one, those of an array, or those of several lines.
    pub(crate) fn all_of(text: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        let mut lines = Lines::default();
        let mut keep = |found| {
            if let Found::Message(message) = found {
                messages.push(message);
            }
        };
        lines.push(text, 0, &mut keep);
        lines.end(0, &mut keep);
        messages
    }

    pub(crate) fn new(shape: Shape, text: Option<&[u8]>, len: u64, batch: Option<u32>) -> Message {
        Message {
            text: text.map(Rc::from),
            len,
            id: shape.id.as_deref().map(Id::read),
            method: shape
                .method
                .as_deref()
                .and_then(|json| serde_json::from_slice::<String>(json).ok())
                .map(Rc::from),
            shape: Rc::new(shape),
            value: Rc::default(),
            batch,
            exchange: None,
        }
    }

    /// What the message is. A response that repeats the method of its request is still one to
    /// whoever waits for its id.
    pub fn kind(&self) -> Kind {
        if (self.has_result() || self.has_error()) && !self.is_without_id() {
            return Kind::Response;
        }
        match (self.shape.has(Member::Method), self.shape.has(Member::Id)) {
            (true, true) => Kind::Request,
            (true, false) => Kind::Notification,
            (false, _) => Kind::Response,
        }
    }

    /// Whether the message has a `method`, of any kind.
    pub fn has_method(&self) -> bool {
        self.shape.has(Member::Method)
    }

    /// Whether the message has a `result`: one that is null beside an `error` is none.
    pub fn has_result(&self) -> bool {
        let null = || self.is_null("result") && !self.is_null("error");
        self.shape.has(Member::Result) && !(self.shape.has(Member::Error) && null())
    }

    /// Whether the message has an `error`: one that is null beside a `result` is none.
    pub fn has_error(&self) -> bool {
        let null = || self.is_null("error");
        self.shape.has(Member::Error) && !(self.shape.has(Member::Result) && null())
    }

    fn is_null(&self, member: &str) -> bool {
        self.get(member).is_some_and(Value::is_null)
    }

    /// Whether the id is missing or null: an answer to what could not be read.
    pub fn is_without_id(&self) -> bool {
        matches!(self.id, None | Some(Id::Null))
    }

    /// The length of the JSON text in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Never: a message has at least its braces.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The JSON text, unless it was too long to keep.
    pub fn text(&self) -> Option<&[u8]> {
        self.text.as_deref()
    }

    /// The message as a value, with replacement characters for bytes that are not UTF-8; none
    /// if it was too long to keep or is nested too deeply.
    pub fn value(&self) -> Option<&Value> {
        let read = || serde_json::from_str(&String::from_utf8_lossy(self.text.as_deref()?)).ok();
        self.value.get_or_init(read).as_ref()
    }

    /// A member of the message, if it could be kept and has it.
    pub fn get(&self, member: &str) -> Option<&Value> {
        self.value()?.get(member)
    }

    /// The `result`, if the message has one.
    pub fn result(&self) -> Option<&Value> {
        self.get("result").filter(|_| self.has_result())
    }

    /// The `params`, if they are there.
    pub fn params(&self) -> Option<&Value> {
        self.get("params")
    }

    /// The `error.code` of the message as it stands, integer or not.
    pub fn error_code(&self) -> Option<&Value> {
        self.get("error")?.get("code")
    }

    /// Whether `error.code` is this number; one with a zero fraction counts.
    pub fn error_is(&self, code: i32) -> bool {
        self.error_code().and_then(Value::as_f64) == Some(f64::from(code))
    }

    /// The HTTP status of the answer that brought it.
    pub fn status(&self) -> Option<u16> {
        self.exchange.as_ref().map(|exchange| exchange.status)
    }

    /// Whether it came in the body of an HTTP refusal.
    pub fn is_refusal(&self) -> bool {
        self.status().is_some_and(|status| status >= 400)
    }

    /// Whether the schema's rules for what a client may send hold: `jsonrpc` is 2.0, the id a
    /// string or an integer that every receiver can hold, the method a string, `params` an object.
    pub(crate) fn is_well_formed(&self) -> bool {
        let Some(value) = self.value() else {
            return false;
        };
        let id = match &self.id {
            None | Some(Id::Text(_)) => true,
            Some(Id::Number(number)) => number
                .parse::<i64>()
                .is_ok_and(|number| number.unsigned_abs() < 1 << 53),
            Some(Id::Null | Id::Other(_)) => false,
        };
        let method = match self.kind() {
            Kind::Response => {
                !self.has_method() && self.id.is_some() && (self.has_result() != self.has_error())
            }
            _ => self.method.is_some() && !self.has_result() && !self.has_error(),
        };
        let params = value.get("params").is_none_or(Value::is_object);
        value["jsonrpc"] == "2.0" && id && method && params
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    #[test]
    fn a_null_beside_the_other_outcome_is_none() {
        for (members, result, error) in [
            (r#""result":{}"#, true, false),
            (r#""result":null"#, true, false),
            (r#""error":{}"#, false, true),
            (r#""error":null"#, false, true),
            (r#""result":{},"error":null"#, true, false),
            (r#""result":null,"error":{}"#, false, true),
            (r#""result":null,"error":null"#, true, false),
            (r#""result":{},"error":{}"#, true, true),
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":1,{members}}}"#);
            let messages = Message::all_of(text.as_bytes());
            let [message] = messages.as_slice() else {
                panic!("{members} is one message");
            };
            let outcome = (message.has_result(), message.has_error());
            assert_eq!(outcome, (result, error), "{members}");
            assert_eq!(message.result().is_some(), result, "{members}");
        }
    }
}
