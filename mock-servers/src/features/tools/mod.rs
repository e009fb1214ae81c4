//! Tools: what is offered, and how a call is checked.

mod asking;
mod content;
mod research;
mod slow;
mod table;

use serde_json::{Map, Value, json};

use super::{describe, page, resources, schema, tasks, text};
use crate::message::RpcError;
use crate::outbox::Outbox;
use crate::revision::Revision;
use crate::session::{Answer, Cause, Outcome, Session};
use table::TOOLS;

/// A call of a tool whose arguments fit its schema.
pub(crate) struct Call {
    session: Session,
    cause: Cause,
    revision: Revision,
    progress_token: Option<Value>,
    arguments: Map<String, Value>,
}

struct Tool {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// The first revision in which what the tool returns exists.
    since: Revision,
    read_only: bool,
    task_support: TaskSupport,
    input: fn() -> Value,
    output: Option<fn() -> Value>,
    run: fn(Call) -> Answer,
}

/// Whether a tool can be called as a task.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TaskSupport {
    /// It cannot, and does not say so: that is what a silent tool means.
    Unsaid,
    Forbidden,
    Optional,
    Required,
}

impl TaskSupport {
    fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Unsaid => None,
            Self::Forbidden => Some("forbidden"),
            Self::Optional => Some("optional"),
            Self::Required => Some("required"),
        }
    }

    fn is_supported(self) -> bool {
        matches!(self, Self::Optional | Self::Required)
    }
}

/// A tool that reads and takes no arguments, from which the others differ.
const PLAIN: Tool = Tool {
    name: "",
    title: "",
    description: "",
    since: Revision::V2024_11_05,
    read_only: true,
    task_support: TaskSupport::Unsaid,
    input: nothing,
    output: None,
    run: |_| Answer::Now(Ok(says(""))),
};

/// Serves `tools/list`.
pub(crate) fn list(revision: Revision, params: &Map<String, Value>) -> Outcome {
    let entries = offered(revision).map(|tool| {
        let mut entry = json!({
            "name": tool.name,
            "description": tool.description,
            "inputSchema": (tool.input)(),
        });
        describe(&mut entry, tool.title, revision);
        if revision >= Revision::V2025_03_26 {
            entry["annotations"] = if tool.read_only {
                json!({ "title": tool.title, "readOnlyHint": true, "openWorldHint": false })
            } else {
                json!({ "title": tool.title, "readOnlyHint": false, "destructiveHint": false })
            };
        }
        if let (Some(output), true) = (tool.output, revision >= Revision::V2025_06_18) {
            entry["outputSchema"] = output();
        }
        if let (Some(support), true) = (tool.task_support.as_str(), revision.has_tasks()) {
            entry["execution"] = json!({ "taskSupport": support });
        }
        entry
    });
    page::page("tools", entries.collect(), params)
}

/// Serves `tools/call`.
pub(crate) fn call(
    session: &Session,
    outbox: &Outbox,
    id: Value,
    revision: Revision,
    params: &Map<String, Value>,
) -> Answer {
    let (tool, arguments) = match find(revision, params) {
        Ok(found) => found,
        Err(error) => return Answer::Now(Err(error)),
    };
    // Where there are no tasks the member is one that nobody knows.
    let task = params.get("task").filter(|_| revision.has_tasks());
    let meta = params.get("_meta");
    let call = Call {
        session: session.clone(),
        cause: Cause::Request(id, outbox.clone()),
        revision,
        progress_token: meta.and_then(|meta| meta.get("progressToken")).cloned(),
        arguments,
    };
    let ttl = match allowed(tool, task, &call).and_then(|()| wanted_ttl(task, session)) {
        Ok(ttl) => ttl,
        Err(error) => return Answer::Now(Err(error)),
    };
    match ttl {
        Some(ttl) => tasks::create(session, ttl, move |cause| run(tool, Call { cause, ..call })),
        None => run(tool, call),
    }
}

/// Whether the tool can be called in that way.
fn allowed(tool: &Tool, task: Option<&Value>, call: &Call) -> Result<(), RpcError> {
    let policy = call.session.policy();
    let refused = match task {
        Some(_) if !tool.task_support.is_supported() && policy.refuses_unsupported => {
            "cannot be called as a task"
        }
        None if tool.task_support == TaskSupport::Required
            && call.revision.has_tasks()
            && policy.refuses_plain =>
        {
            "can only be called as a task"
        }
        _ => return Ok(()),
    };
    Err(RpcError::new(-32601, format!("{} {refused}", tool.name)))
}

/// For how long the task is to be kept that the call becomes, if it becomes one.
fn wanted_ttl(task: Option<&Value>, session: &Session) -> Result<Option<u64>, RpcError> {
    task.filter(|_| session.policy().makes_tasks)
        .map(|task| tasks::ttl(session, task))
        .transpose()
}

fn run(tool: &Tool, call: Call) -> Answer {
    match schema::violation(&(tool.input)(), &call.arguments) {
        None => (tool.run)(call),
        // From 2025-11-25 on the model is to see what was wrong with its arguments.
        Some(violation) if call.revision >= Revision::V2025_11_25 => {
            Answer::Now(Ok(fails(&violation)))
        }
        Some(violation) => Answer::Now(Err(RpcError::invalid_params(violation))),
    }
}

fn offered(revision: Revision) -> impl Iterator<Item = &'static Tool> {
    TOOLS.iter().filter(move |tool| tool.since <= revision)
}

fn find(
    revision: Revision,
    params: &Map<String, Value>,
) -> Result<(&'static Tool, Map<String, Value>), RpcError> {
    let name = text(params, "name")?;
    let arguments = match params.get("arguments") {
        None => Map::new(),
        Some(Value::Object(arguments)) => arguments.clone(),
        Some(_) => return Err(RpcError::invalid_params("`arguments` must be an object")),
    };
    offered(revision)
        .find(|tool| tool.name == name)
        .map(|tool| (tool, arguments))
        .ok_or_else(|| RpcError::invalid_params(format!("unknown tool: {name}")))
}

fn write_note(call: Call) -> Answer {
    let name = call.string("name");
    // The name becomes part of a URI.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if name.is_empty() || !name.chars().all(is_plain) {
        return Answer::Now(Ok(fails(
            "a name has ASCII letters, digits and hyphens only",
        )));
    }
    resources::write_note(&call.session, &call.cause, name, call.string("text"));
    Answer::Now(Ok(says(&format!(
        "written to {}",
        resources::note_uri(name)
    ))))
}

impl Call {
    /// A string argument; the schema has seen to it that a required one is there.
    fn string(&self, name: &str) -> &str {
        self.arguments
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn integer(&self, name: &str, default: u64) -> u64 {
        // An integer may be written with a zero fraction, which `as_u64` does not take.
        self.arguments.get(name).and_then(Value::as_f64).map_or(
            default,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the schemas keep integers small and positive"
            )]
            |number| number as u64,
        )
    }
}

fn nothing() -> Value {
    json!({ "type": "object", "properties": {} })
}

fn object(properties: Value, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn returns(content: Vec<Value>) -> Value {
    json!({ "content": content })
}

fn says(text: &str) -> Value {
    returns(vec![json!({ "type": "text", "text": text })])
}

fn fails(text: &str) -> Value {
    let mut result = says(text);
    result["isError"] = json!(true);
    result
}
