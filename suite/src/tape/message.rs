use std::rc::Rc;

use serde_json::Value;

use super::{
    Id,
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
    /// The id, if there is one.
    pub id: Option<Id>,
    /// The method, if there is one and it is a string.
    pub method: Option<Rc<str>>,
    /// The array that it was an element of, counted from 1 in its session.
    pub batch: Option<u32>,
}

impl Message {
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
            batch,
        }
    }

    /// What the message is.
    pub fn kind(&self) -> Kind {
        match (self.shape.has(Member::Method), self.shape.has(Member::Id)) {
            (true, true) => Kind::Request,
            (true, false) => Kind::Notification,
            (false, _) => Kind::Response,
        }
    }

    /// Whether the message has a `result`.
    pub fn has_result(&self) -> bool {
        self.shape.has(Member::Result)
    }

    /// Whether the message has an `error`.
    pub fn has_error(&self) -> bool {
        self.shape.has(Member::Error)
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
    pub fn value(&self) -> Option<Value> {
        serde_json::from_str(&String::from_utf8_lossy(self.text.as_deref()?)).ok()
    }

    /// The `error.code` of the message as it stands, integer or not.
    pub fn error_code(&self) -> Option<Value> {
        self.value()?.get("error")?.get("code").cloned()
    }
}
