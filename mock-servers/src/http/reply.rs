//! Answers to HTTP requests.

use std::io;

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::event::EventBody;

/// An answer to an HTTP request.
pub type Reply = Response<Content>;

/// The body of an answer.
#[derive(Debug)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Events, as they happen.
    Events(EventBody),
}

impl From<Content> for Body {
    fn from(content: Content) -> Self {
        match content {
            Content::Bytes(bytes) => bytes.into(),
            Content::Events(events) => Self::new(events),
        }
    }
}

/// A status without a body.
#[must_use]
pub fn empty(status: StatusCode) -> Reply {
    let mut reply = Reply::new(Content::Bytes(Vec::new()));
    *reply.status_mut() = status;
    reply
}

/// A JSON body.
#[must_use]
pub fn json(status: StatusCode, body: &Value) -> Reply {
    let mut reply = empty(status);
    *reply.body_mut() = Content::Bytes(body.to_string().into_bytes());
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(CONTENT_TYPE, json);
    reply
}

/// A JSON body that was written already.
pub(super) fn json_text(status: StatusCode, body: String) -> Reply {
    let mut reply = json(status, &Value::Null);
    *reply.body_mut() = Content::Bytes(body.into_bytes());
    reply
}

/// An event stream.
#[must_use]
pub fn stream(events: EventBody) -> Reply {
    let mut reply = empty(StatusCode::OK);
    *reply.body_mut() = Content::Events(events);
    let headers = reply.headers_mut();
    let events = HeaderValue::from_static("text/event-stream");
    headers.insert(CONTENT_TYPE, events);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    reply
}

/// A refusal by the transport: a JSON-RPC error without an id, since what it refuses is
/// the HTTP request, whatever message that carries.
#[must_use]
pub fn refusal(status: StatusCode, message: &str) -> Reply {
    let error = json!({ "code": -32000, "message": message });
    json(status, &json!({ "jsonrpc": "2.0", "error": error }))
}

/// Why the transport does not serve a request.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
    /// The methods that are served, where the method is the reason.
    allowed: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            allowed: None,
        }
    }

    pub(super) fn bad_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn not_allowed(allowed: &'static str) -> Self {
        Self {
            allowed: Some(allowed),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "the method is not allowed here",
            )
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl From<Refusal> for Reply {
    fn from(refused: Refusal) -> Self {
        let Some(allowed) = refused.allowed else {
            return refusal(refused.status, &refused.message);
        };
        // As web frameworks answer of their own accord: no message of JSON-RPC, for all its `error`.
        let status = refused.status.as_u16();
        let body = json!({ "status": status, "error": refused.message });
        let mut reply = json(refused.status, &body);
        let allowed = HeaderValue::from_static(allowed);
        reply.headers_mut().insert(ALLOW, allowed);
        reply
    }
}
