//! Messages as they come in: from bytes to JSON, from JSON to their kind.

use serde_json::{Map, Value, json};

use crate::revision::Revision;

/// Input that cannot be read as JSON at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Reads the bytes of one message, or of one batch.
///
/// # Errors
/// [`Malformed`] if the bytes are not UTF-8 or not JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, Malformed> {
    serde_json::from_slice(bytes).map_err(|_| Malformed)
}

/// A JSON-RPC error as a handler reports it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RpcError {
    code: i64,
    message: String,
    data: Option<Value>,
}

impl RpcError {
    pub(crate) fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    pub(crate) fn parse_error() -> Self {
        Self::new(-32700, "the input is not JSON in UTF-8")
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(-32600, message)
    }

    pub(crate) fn method_not_found(method: &str) -> Self {
        Self::new(-32601, format!("unknown method: {method}"))
    }

    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(-32602, message)
    }

    /// What went wrong, in words.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn with_data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    fn into_value(self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(data) = self.data {
            error["data"] = data;
        }
        error
    }
}

/// The messages with that method, to be rewritten.
pub(crate) fn of_method<'a>(
    messages: &'a mut [Value],
    method: &'static str,
) -> impl Iterator<Item = &'a mut Value> {
    let is_meant = move |message: &&mut Value| message["method"] == method;
    messages.iter_mut().filter(is_meant)
}

/// The response with that outcome to the request with that id.
pub(crate) fn response(id: &Value, outcome: Result<Value, RpcError>) -> Value {
    match outcome {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error.into_value() }),
    }
}

/// The error response to something whose id may be unknown.
///
/// JSON-RPC writes null for an id that could not be read. The schema of 2025-11-25 has
/// no null there and makes the member optional instead.
pub(crate) fn refusal(id: Option<&Value>, error: RpcError, revision: Option<Revision>) -> Value {
    match (id, revision) {
        (Some(id), _) => response(id, Err(error)),
        (None, Some(Revision::V2025_11_25)) => {
            json!({ "jsonrpc": "2.0", "error": error.into_value() })
        }
        (None, _) => response(&Value::Null, Err(error)),
    }
}

/// A notification.
pub(crate) fn notification(method: &str, params: Value) -> Value {
    let mut message = json!({ "jsonrpc": "2.0", "method": method });
    if !params.is_null() {
        message["params"] = params;
    }
    message
}

/// What a JSON value is to a JSON-RPC peer.
#[derive(Debug, PartialEq)]
pub(crate) enum Kind {
    Request(Request),
    Notification {
        method: String,
        params: Map<String, Value>,
    },
    Response {
        id: Value,
        outcome: Result<Value, Value>,
    },
    /// No message; the id is kept if there was a usable one.
    Invalid {
        id: Option<Value>,
        reason: &'static str,
    },
}

/// A request of the client's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) id: Value,
    pub(crate) method: String,
    pub(crate) params: Params,
}

/// The params of a request; an array is legal JSON-RPC, but no method here takes one.
pub(crate) type Params = Result<Map<String, Value>, RpcError>;

/// Tells what a value is.
pub(crate) fn classify(message: &Value) -> Kind {
    let Some(members) = message.as_object() else {
        return Kind::Invalid {
            id: None,
            reason: "a message is a JSON object",
        };
    };
    let id = members.get("id");
    let usable = id.filter(|id| is_id(id)).cloned();
    let invalid = |reason| Kind::Invalid {
        id: usable.clone(),
        reason,
    };
    let method = members.get("method");
    if method.is_none() && (members.contains_key("result") || members.contains_key("error")) {
        // Even a malformed response is no reason to answer: two peers that answer each
        // other's errors never stop. One without a usable id matches no request.
        return Kind::Response {
            id: id.cloned().unwrap_or(Value::Null),
            outcome: match (members.get("error"), members.get("result")) {
                (None, Some(result)) => Ok(result.clone()),
                (error, _) => Err(error.cloned().unwrap_or(Value::Null)),
            },
        };
    }
    if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return invalid("`jsonrpc` is not \"2.0\"");
    }
    if id.is_some() && usable.is_none() {
        return invalid("`id` is neither a string nor an integer");
    }
    let Some(method) = method else {
        return invalid("`method` is missing");
    };
    let Some(method) = method.as_str() else {
        return invalid("`method` is not a string");
    };
    let params = match members.get("params") {
        None => Ok(Map::new()),
        Some(Value::Object(params)) => Ok(params.clone()),
        Some(Value::Array(_)) => Err(RpcError::invalid_params("`params` is not an object")),
        Some(_) => return invalid("`params` is not an object"),
    };
    match usable {
        Some(id) => Kind::Request(Request {
            id,
            method: method.to_owned(),
            params,
        }),
        None => Kind::Notification {
            method: method.to_owned(),
            params: params.unwrap_or_default(),
        },
    }
}

/// Whether a value may be the id of a request.
///
/// Numbers are read as 64-bit integers or doubles, and what a double cannot hold exactly
/// would be echoed as another number: such an id is refused rather than altered.
fn is_id(id: &Value) -> bool {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match id {
        Value::String(_) => true,
        Value::Number(number) => {
            number.is_i64()
                || number.is_u64()
                || number
                    .as_f64()
                    .is_some_and(|value| value.fract() == 0.0 && value.abs() < EXACT)
        }
        _ => false,
    }
}
