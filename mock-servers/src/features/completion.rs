//! Completion of the arguments of prompts and of the variables of resource templates.

use serde_json::{Map, Value, json};

use super::{prompts, resources, text};
use crate::message::RpcError;
use crate::session::Outcome;

/// Serves `completion/complete`.
pub(crate) fn complete(params: &Map<String, Value>) -> Outcome {
    let member = |name: &str| {
        params
            .get(name)
            .and_then(Value::as_object)
            .ok_or_else(|| RpcError::invalid_params(format!("`{name}` must be an object")))
    };
    let (reference, argument) = (member("ref")?, member("argument")?);
    let (name, value) = (text(argument, "name")?, text(argument, "value")?);
    let candidates = match text(reference, "type")? {
        "ref/prompt" => prompts::completions(text(reference, "name")?, name),
        "ref/resource" => resources::completions(text(reference, "uri")?, name),
        _ => None,
    };
    let Some(candidates) = candidates else {
        return Err(RpcError::invalid_params(
            "there is nothing of that name to complete",
        ));
    };
    let values: Vec<&str> = candidates
        .iter()
        .copied()
        .filter(|candidate| candidate.starts_with(value))
        .collect();
    let total = values.len();
    Ok(json!({ "completion": { "values": values, "total": total, "hasMore": false } }))
}
