//! What is wrong with a message of the server. A message belongs to the first class that fits it,
//! and each class to one clause, so that one defect is one failure.

use super::{super::prelude::*, judged};
use crate::{case::Violation, cases};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// `jsonrpc` is not the string 2.0.
    Version,
    /// It has a method and an outcome.
    MethodAndOutcome,
    /// A response with neither `result` nor `error`.
    NoOutcome,
    /// A response with both.
    TwoOutcomes,
    /// One of the two is null beside the other, or `error` is null alone.
    NullOutcome,
    /// The id is that of a request as text, and of another type.
    IdType,
    /// The id belongs to no request.
    IdUnknown,
    /// The id is missing or null, and nothing that was sent explains it.
    IdMissing,
    /// The request was answered before.
    SecondAnswer,
    /// `result` is no object.
    ResultShape,
    /// `error` is no object.
    ErrorShape,
    /// `error.code` is no integer.
    Code,
    /// `error.message` is no string.
    Text,
    /// `method` is no proper name.
    Method,
    /// A notification has an id.
    NotificationId,
    /// The id of a request is neither a string nor an integer.
    RequestId,
    /// The id of a request was used before.
    RepeatedId,
    /// `params` is no object.
    Params,
}

use Defect::*;

/// The first defect of a message; none of one that was too long to keep.
pub(super) fn defect(message: &Message, past: &Past) -> Option<Defect> {
    let value = message.value()?;
    if value.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Some(Version);
    }
    let outcome = message.has_result() || message.has_error();
    match (message.has_method(), outcome) {
        (true, true) => Some(MethodAndOutcome),
        (true, false) => of_call(message, value, past),
        (false, false) => Some(NoOutcome),
        (false, true) => of_outcome(value)
            .or_else(|| of_id(message, past))
            .or_else(|| of_content(value)),
    }
}

fn of_outcome(response: &Value) -> Option<Defect> {
    match (response.get("result"), response.get("error")) {
        (Some(result), Some(error)) if !result.is_null() && !error.is_null() => Some(TwoOutcomes),
        (Some(_), Some(_)) | (None, Some(Value::Null)) => Some(NullOutcome),
        _ => None,
    }
}

/// Only well-formed requests have an answer whose id is known beforehand. What a probe of
/// something odd provokes is that probe's.
fn of_id(response: &Message, past: &Past) -> Option<Defect> {
    if past.malformed || past.sent_array || response.is_refusal() {
        return None;
    }
    let defect = match (past.client.asked(response), &response.id) {
        (Some(asked), _) => (asked.answers > 0 && asked.uses == 1).then_some(SecondAnswer),
        // It may have answered a notification: the transports' clauses are about that.
        (None, None | Some(Id::Null)) => {
            (!past.partial && !past.unasked.excuses(response)).then_some(IdMissing)
        }
        (None, Some(Id::Text(text))) if is_pending(&Id::Number(text.clone()), past) => Some(IdType),
        (None, _) => (!past.client.forgotten).then_some(IdUnknown),
    }?;
    let mangled = match (defect, &response.id) {
        (IdType, _) => false,
        (SecondAnswer, Some(id)) => uncommon_awaited(past).any(|open| is_about(open, id)),
        _ => uncommon_awaited(past).next().is_some(),
    };
    (!mangled).then_some(defect)
}

/// Whether the id of a response can be held against something: where not all requests are known,
/// one that belongs to none of them may belong to another.
pub(super) fn is_comparable(response: &Message, past: &Past) -> bool {
    !past.client.forgotten
        || past.client.asked(response).is_some()
        || of_id(response, past) == Some(IdType)
}

fn is_pending(id: &Id, past: &Past) -> bool {
    past.client.get(id).is_some_and(|asked| asked.answers == 0)
}

/// The uncommon ids that are unanswered: an id that nobody knows may be such a one, mangled, and
/// the clause on such ids judges it.
fn uncommon_awaited(past: &Past) -> impl Iterator<Item = &Id> {
    let open = past.client.iter().filter(|(_, asked)| asked.answers == 0);
    open.map(|(id, _)| id).filter(|id| !is_common(id))
}

/// Whether two ids are the same number but for its type, or what stands behind the point.
fn is_about(one: &Id, other: &Id) -> bool {
    let number = |id: &Id| match id {
        Id::Number(text) | Id::Text(text) => text.parse::<f64>().ok(),
        Id::Null | Id::Other(_) => None,
    };
    let numbers = number(one).zip(number(other));
    numbers.is_some_and(|(one, other)| (one - other).abs() < 1.0)
}

/// Whether any server takes the id and gives it back: a small positive number, or a short word.
fn is_common(id: &Id) -> bool {
    match id {
        Id::Number(number) => number
            .parse()
            .is_ok_and(|number: u16| (1..=1000).contains(&number)),
        Id::Text(text) => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            text.len() <= 80 && text.bytes().all(plain) && text.starts_with(char::is_alphabetic)
        }
        Id::Null | Id::Other(_) => false,
    }
}

fn of_content(response: &Value) -> Option<Defect> {
    if let Some(result) = response.get("result") {
        return (!result.is_object()).then_some(ResultShape);
    }
    let Some(error) = response.get("error").and_then(Value::as_object) else {
        return Some(ErrorShape);
    };
    if !error.get("code").is_some_and(is_integer) {
        return Some(Code);
    }
    let text = error.get("message").is_some_and(Value::is_string);
    (!text).then_some(Text)
}

/// Whether it is a number without a fractional part.
pub(super) fn is_integer(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

fn of_call(message: &Message, value: &Value, past: &Past) -> Option<Defect> {
    let method = match message.method.as_deref() {
        Some(method) if !method.is_empty() && !method.starts_with("rpc.") => method,
        _ => return Some(Method),
    };
    if let Some(id) = &message.id {
        if method.starts_with("notifications/") {
            return Some(NotificationId);
        }
        let integer = |number: &str| {
            number
                .parse()
                .is_ok_and(|number: f64| number.fract() == 0.0)
        };
        match id {
            Id::Text(_) => {}
            Id::Number(number) if integer(number) => {}
            _ => return Some(RequestId),
        }
        if past.server.get(id).is_some() {
            return Some(RepeatedId);
        }
    }
    let params = value.get("params");
    params
        .is_some_and(|params| !params.is_object())
        .then_some(Params)
}

/// Nothing, unless the message of the event belongs to the class.
pub(super) fn free_of(class: Defect, event: &Event<'_>, past: &Past) -> Result<(), Stop> {
    match judged(event) {
        Some(message)
            if defect(message, past) == Some(class) && !is_owned(class, message, past) =>
        {
            Err(violation(class, message, past).into())
        }
        _ => Ok(()),
    }
}

/// Whether a clause of the feature says the same of the message.
fn is_owned(class: Defect, message: &Message, past: &Past) -> bool {
    let asked = past.client.asked(message).map(|asked| &*asked.method);
    let owner = match (class, asked, message.method.as_deref()) {
        (ResultShape, Some("logging/setLevel"), _) => "logging/set-level-result-object",
        (ResultShape, Some("resources/subscribe" | "resources/unsubscribe"), _) => {
            "resources/subscribe-result-object"
        }
        (NotificationId, _, Some("notifications/tools/list_changed")) => "tools/list-changed-shape",
        (NotificationId, _, Some("notifications/prompts/list_changed")) => {
            "prompts/list-changed-shape"
        }
        (NotificationId, _, Some("notifications/resources/list_changed")) => {
            "resources/list-changed-shape"
        }
        (Params, _, Some("roots/list")) => "roots/request-shape",
        _ => return false,
    };
    cases::find(owner).is_some()
}

fn violation(class: Defect, message: &Message, past: &Past) -> Violation {
    let id = message.id.as_ref().map_or("none".to_owned(), Id::to_string);
    let method = message.method.as_deref().unwrap_or_default();
    let kind_of = |member: &str| kind(message.get(member));
    let in_error = |member: &str| kind(message.get("error").and_then(|error| error.get(member)));
    let text = match class {
        Version => match message.get("jsonrpc") {
            None => "a message has no `jsonrpc`".to_owned(),
            Some(other) => format!("`jsonrpc` is {} and not \"2.0\"", shortened(other)),
        },
        MethodAndOutcome => "a message has `method` beside `result` or `error`".to_owned(),
        NoOutcome => "a response has neither `result` nor `error`".to_owned(),
        TwoOutcomes => "a response has both `result` and `error`".to_owned(),
        NullOutcome if message.get("error").is_some_and(Value::is_null) => {
            "a response has `\"error\": null`".to_owned()
        }
        NullOutcome => "a response has `\"result\": null` beside its error".to_owned(),
        IdType => "a numeric id comes back as a string".to_owned(),
        IdUnknown => format!("a response has the id {id}, which belongs to no request"),
        IdMissing => "a response has no id, or null, though every request had one".to_owned(),
        SecondAnswer => format!("the request with the id {id} is answered a second time"),
        ResultShape => format!("`result` is {} and not an object", kind_of("result")),
        ErrorShape => format!("`error` is {} and not an object", kind_of("error")),
        Code => format!("`error.code` is {} and not an integer", in_error("code")),
        Text => format!(
            "`error.message` is {} and not a string",
            in_error("message")
        ),
        Method if method.is_empty() => {
            format!("`method` is {} and not a name", kind_of("method"))
        }
        Method => "a method begins with `rpc.`, which JSON-RPC keeps for itself".to_owned(),
        NotificationId => format!("the notification `{method}` has an id"),
        RequestId => format!("the request `{method}` has the id {id}"),
        RepeatedId => format!("the request `{method}` has the id {id} of an earlier request"),
        Params => format!(
            "`params` of `{method}` is {} and not an object",
            kind_of("params")
        ),
    };
    let compared = match &message.id {
        Some(Id::Text(text)) if class == IdType => Some((text.clone(), id)),
        _ => None,
    };
    Violation {
        message: escaped(text),
        evidence: vec![Excerpt::of_message(past.now, message)],
        compared,
    }
}

/// What a value is, in a word.
pub(super) fn kind(value: Option<&Value>) -> &'static str {
    match value {
        None => "absent",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "a boolean",
        Some(Value::Number(number)) if number.as_f64().is_some_and(|n| n.fract() != 0.0) => {
            "a fraction"
        }
        Some(Value::Number(_)) => "a number",
        Some(Value::String(text)) if text.is_empty() => "an empty string",
        Some(Value::String(_)) => "a string",
        Some(Value::Array(_)) => "an array",
        Some(Value::Object(_)) => "an object",
    }
}

/// A value as it stands, unless it is long.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    if text.len() > 60 {
        kind(Some(value)).to_owned()
    } else {
        text
    }
}
