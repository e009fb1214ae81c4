//! Lists in pages, with opaque cursors.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::message::RpcError;
use crate::session::Outcome;

/// Small, so that every list that matters has more than one page.
const SIZE: usize = 3;

/// The page of a list that the params ask for.
pub(crate) fn page(list: &str, entries: Vec<Value>, params: &Map<String, Value>) -> Outcome {
    let start = match params.get("cursor") {
        None => 0,
        Some(Value::String(cursor)) => start(list, cursor, entries.len())?,
        Some(_) => return Err(RpcError::invalid_params("`cursor` must be a string")),
    };
    let end = entries.len().min(start + SIZE);
    let more = end < entries.len();
    let shown: Vec<Value> = entries.into_iter().skip(start).take(SIZE).collect();
    let mut result = json!({ list: shown });
    if more {
        result["nextCursor"] = json!(cursor(list, end));
    }
    Ok(result)
}

/// The cursor of the page that starts there. In hexadecimal, lest anybody takes it for
/// an offset to be counted up.
fn cursor(list: &str, start: usize) -> String {
    format!("{list}@{start}")
        .bytes()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

fn start(list: &str, asked: &str, entries: usize) -> Result<usize, RpcError> {
    (SIZE..entries)
        .step_by(SIZE)
        .find(|start| cursor(list, *start) == asked)
        .ok_or_else(|| RpcError::invalid_params("no page has this cursor"))
}
