//! Messages judged by the schemas of their revision (`schemas/mcp`), with the deepest cause in
//! words.
//!
//! A value is first put to a compiled validator, which only says whether it fits; what is wrong is
//! looked for when something is.

mod documents;
mod mismatch;
mod owner;
#[cfg(test)]
mod tests;
mod union;
mod walk;

use serde_json::Value;

use super::{
    Revision::{self, V2025_06_18, V2025_11_25, V2026_07_28},
    methods,
};
use documents::Document;
use walk::Walk;

pub use mismatch::{Keyword, Kind, LIMIT, Leaves, Mismatch, Mismatches, SEEN, Step};
pub use owner::{is_owned, owner};

/// The requests of 2025-11-25 that `task` in their params turns into tasks.
const TASK_AUGMENTED: [&str; 3] = ["tools/call", "sampling/createMessage", "elicitation/create"];

/// The requests of 2026-07-28 that may be answered by asking for input first.
const INPUT_REQUIRING: [&str; 3] = ["tools/call", "prompts/get", "resources/read"];

/// Judges a value by the definition of this name in the schema of `revision`.
///
/// # Panics
/// If the schema has no such definition. Names of definitions are ours, never a server's.
pub fn judge(revision: Revision, definition: &str, value: &Value) -> Result<(), Mismatches> {
    judge_by(revision, "value", &[definition], value, None)
}

/// Judges the result of a request for `method` that was sent with `params`. A method that the
/// revision does not define has any `Result`.
pub fn judge_result(
    revision: Revision,
    method: &str,
    params: Option<&Value>,
    result: &Value,
) -> Result<(), Mismatches> {
    let definition = result_definition(revision, method, params, result);
    judge_by(revision, "result", &[definition], result, None)
}

/// The same, apart from what is left to others.
pub fn judge_result_but(
    revision: Revision,
    method: &str,
    params: Option<&Value>,
    result: &Value,
    leaves: Leaves<'_>,
) -> Result<(), Mismatches> {
    let definition = result_definition(revision, method, params, result);
    judge_by(revision, "result", &[definition], result, Some(leaves))
}

/// Judges a whole request or notification by its method; one that the revision does not define is any
/// of its kind, and a notification with the name of a request lacks its `id`.
pub fn judge_call(revision: Revision, message: &Value) -> Result<(), Mismatches> {
    judge_call_by(revision, message, None)
}

/// The same, apart from what is left to others.
pub fn judge_call_but(
    revision: Revision,
    message: &Value,
    leaves: Leaves<'_>,
) -> Result<(), Mismatches> {
    judge_call_by(revision, message, Some(leaves))
}

fn judge_call_by(
    revision: Revision,
    message: &Value,
    leaves: Option<Leaves<'_>>,
) -> Result<(), Mismatches> {
    let name = message.get("method").and_then(Value::as_str);
    let Some(method) = name.and_then(|name| methods::find(revision, name)) else {
        let any = match message.get("id") {
            Some(_) => "JSONRPCRequest",
            None => "JSONRPCNotification",
        };
        return judge_by(revision, "message", &[any], message, leaves);
    };
    let envelope = match method.is_request() {
        true => "JSONRPCRequest",
        false => "JSONRPCNotification",
    };
    // The older definitions of single messages know nothing of `jsonrpc` and `id`.
    let definitions = [envelope, method.definition];
    let skipped = usize::from(revision > V2025_06_18);
    judge_by(
        revision,
        "message",
        &definitions[skipped..],
        message,
        leaves,
    )
}

/// The definition that a result has to fit.
fn result_definition(
    revision: Revision,
    method: &str,
    params: Option<&Value>,
    result: &Value,
) -> &'static str {
    let Some(plain) = methods::find(revision, method).and_then(|method| method.result) else {
        return "Result";
    };
    let asks_for_task = params.is_some_and(|params| params.get("task").is_some());
    match (revision, result.get("resultType").and_then(Value::as_str)) {
        (V2025_11_25, _) if asks_for_task && TASK_AUGMENTED.contains(&method) => {
            match is_task(revision, plain, result) {
                true => "CreateTaskResult",
                false => plain,
            }
        }
        (V2026_07_28, Some("input_required")) if INPUT_REQUIRING.contains(&method) => {
            "InputRequiredResult"
        }
        // What an extension calls its results is not for our schemas to judge.
        (V2026_07_28, Some(kind)) if kind != "complete" => "Result",
        _ => plain,
    }
}

/// Whether the answer to a request with `task` is to be read as a task: receivers that know no
/// tasks ignore `task`, and answer with the plain result.
fn is_task(revision: Revision, plain: &str, result: &Value) -> bool {
    let (_, definition) = Document::of(revision).definition(plain);
    let mut required = definition["required"].as_array().into_iter().flatten();
    let has = |member: &Value| {
        member
            .as_str()
            .is_some_and(|name| result.get(name).is_some())
    };
    result.get("task").is_some() || !required.any(has)
}

fn judge_by(
    revision: Revision,
    subject: &'static str,
    definitions: &[&str],
    value: &Value,
    leaves: Option<Leaves<'_>>,
) -> Result<(), Mismatches> {
    let document = Document::of(revision);
    if definitions.iter().all(|name| document.fits(name, value)) {
        return Ok(());
    }
    let named = definitions.iter().map(|name| document.definition(name));
    let (names, schemas): (Vec<_>, Vec<_>) = named.unzip();
    let definition = names.last().copied().unwrap_or_default();
    let names = [subject, definition];
    match Walk::over(document.definitions, names, &schemas, value, leaves) {
        None => Ok(()),
        Some(found) => Err(found),
    }
}
