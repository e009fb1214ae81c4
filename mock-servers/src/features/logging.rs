//! Log messages to the client.

use serde_json::{Map, Value, json};

use super::text;
use crate::message::{self, RpcError};
use crate::session::{Cause, Outcome, Session};

/// The severities, the least first.
const LEVELS: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

/// What is sent until the client chooses.
const DEFAULT: usize = 1;

/// Serves `logging/setLevel`.
pub(crate) fn set_level(session: &Session, params: &Map<String, Value>) -> Outcome {
    let level = text(params, "level")?;
    let Some(level) = LEVELS.iter().position(|known| *known == level) else {
        return Err(RpcError::invalid_params(format!(
            "`{level}` is no log level"
        )));
    };
    session.state().log_level = Some(level);
    Ok(json!({}))
}

/// Sends a log message, unless the client wants less.
pub(crate) fn log(session: &Session, cause: &Cause, level: &str, data: &str) {
    let least = session.state().log_level.unwrap_or(DEFAULT);
    if LEVELS.iter().position(|known| *known == level) >= Some(least) {
        let params = json!({ "level": level, "logger": "mock", "data": data });
        let message = message::notification("notifications/message", params);
        session.tell(cause, message);
    }
}
