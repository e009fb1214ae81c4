//! The handshake: what answers it, which versions it negotiates, what it takes, and in which order
//! things may come; and how a server behaves once it is through.

mod answer;
mod between;
mod early;
mod invalid;
mod odd;
mod operation;
mod order;
mod params;
mod repeats;
mod server_info;
mod versions;
mod waiting;

use std::fmt;

use super::prelude::*;

pub(super) const CASES: &[&[Case]] = &[
    answer::CASES,
    versions::CASES,
    invalid::CASES,
    params::CASES,
    order::CASES,
    repeats::CASES,
    operation::CASES,
    waiting::CASES,
];

/// A handshake and the sentinel behind it.
#[derive(Clone)]
struct Opening {
    initialize: Reply,
    /// What a ping behind `notifications/initialized` came to, where `initialize` had a result.
    sentinel: Option<Reply>,
}

impl Opening {
    /// Plays it; a server that ends is part of what it shows.
    async fn play(s: &Talk, params: Value) -> Result<Opening, Stop> {
        let initialize = s.say_initialize(params).await?;
        let sentinel = match initialize.is_result() {
            true => Some(initialized_and_served(s).await?),
            false => None,
        };
        Ok(Opening {
            initialize,
            sentinel,
        })
    }

    /// Whether both were answered with results.
    fn is_served(&self) -> bool {
        self.sentinel.as_ref().is_some_and(Reply::is_result)
    }
}

/// What failed of it, to stand behind the circumstances: `` `initialize` is not answered``.
impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sentinel {
            None => write!(f, "`initialize` {}", self.initialize),
            Some(reply) => write!(f, "the `ping` after the handshake {reply}"),
        }
    }
}

/// `notifications/initialized`, and what becomes of a ping behind it.
async fn initialized_and_served(s: &Talk) -> Result<Reply, Stop> {
    match s.say_initialized().await {
        Ok(()) => s.serves().await,
        Err(Stop::Broke(broken)) => Ok(Reply::Gone(broken)),
        Err(stop) => Err(stop),
    }
}

/// The list requests of the capabilities that the server declares.
fn declared_lists(s: &Talk) -> Vec<&'static str> {
    let result = s.first_result();
    [
        ("tools", "tools/list"),
        ("prompts", "prompts/list"),
        ("resources", "resources/list"),
    ]
    .into_iter()
    .filter(|(capability, _)| result["capabilities"][capability].is_object())
    .map(|(_, method)| method)
    .collect()
}

/// A server without sessions cannot know what came before.
fn knows_order(s: &Talk) -> Result<(), Stop> {
    if s.is_stateless() {
        return unverified("the server keeps no sessions, and so cannot know what came before");
    }
    Ok(())
}

/// What a member is, for messages.
fn nature(member: Option<&Value>) -> &'static str {
    match member {
        None => "missing",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "a boolean",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "a string",
        Some(Value::Array(_)) => "an array",
        Some(Value::Object(_)) => "an object",
    }
}
