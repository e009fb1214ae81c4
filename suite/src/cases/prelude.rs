//! What the files of the areas about messages need.

pub(super) use serde_json::{Value, json};

pub(super) use crate::{
    case::{
        Case, Rule, Stage, Stop, Talk, differs, not_applicable, unverified, violated, violated_by,
    },
    session::{How, Manner},
    spec::{
        Advice, Clause, Gate, Level,
        Revision::{self, V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25, V2026_07_28},
        Transport,
    },
    talk::{Conversation, Patience, Reply, Scene},
    tape::{Event, Excerpt, Id, Kind, Message, Past, escaped},
};

/// The message of the server that the event is.
pub(super) fn message<'a>(event: &Event<'a>) -> Option<&'a Message> {
    match event {
        Event::Message(message) => Some(message),
        _ => None,
    }
}

/// The response of the server that the event is.
pub(super) fn response<'a>(event: &Event<'a>) -> Option<&'a Message> {
    message(event).filter(|message| message.kind() == Kind::Response)
}

/// The request or notification of the server that the event is.
pub(super) fn call<'a>(event: &Event<'a>) -> Option<&'a Message> {
    message(event).filter(|message| message.kind() != Kind::Response)
}

/// The clause was broken by this message.
pub(super) fn broken_by<T>(
    text: impl Into<String>,
    message: &Message,
    past: &Past,
) -> Result<T, Stop> {
    violated_by(text, vec![Excerpt::of_message(past.now, message)])
}
