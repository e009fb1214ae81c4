//! Tools: what is offered, and how a call is checked.

mod asking;
mod content;
mod slow;

use serde_json::{Map, Value, json};

use super::{describe, logging, page, resources, schema, text};
use crate::message::RpcError;
use crate::outbox::Outbox;
use crate::revision::Revision;
use crate::session::{Answer, Outcome, Session};

/// A call of a tool whose arguments fit its schema.
pub(crate) struct Call {
    session: Session,
    outbox: Outbox,
    id: Value,
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
    input: fn() -> Value,
    output: Option<fn() -> Value>,
    run: fn(Call) -> Answer,
}

/// A tool that reads and takes no arguments, from which the others differ.
const PLAIN: Tool = Tool {
    name: "",
    title: "",
    description: "",
    since: Revision::V2024_11_05,
    read_only: true,
    input: nothing,
    output: None,
    run: |_| Answer::Now(Ok(says(""))),
};

const TOOLS: &[Tool] = &[
    Tool {
        name: "echo",
        title: "Echo",
        description: "Returns the message that it is given",
        input: || object(json!({ "message": { "type": "string" } }), &["message"]),
        run: |call| Answer::Now(Ok(says(call.string("message")))),
        ..PLAIN
    },
    Tool {
        name: "add",
        title: "Add",
        description: "Adds two numbers",
        input: || {
            let number = json!({ "type": "number" });
            let mut schema = object(json!({ "a": number, "b": number }), &["a", "b"]);
            schema["additionalProperties"] = json!(false);
            schema
        },
        output: Some(|| object(json!({ "sum": { "type": "number" } }), &["sum"])),
        run: content::add,
        ..PLAIN
    },
    Tool {
        name: "slow",
        title: "Slow operation",
        description: "Takes its time and reports progress",
        input: || {
            object(
                json!({
                    "duration_ms": { "type": "integer", "minimum": 0, "maximum": 60_000 },
                    "steps": { "type": "integer", "minimum": 1, "maximum": 1000 },
                }),
                &[],
            )
        },
        run: slow::slow,
        ..PLAIN
    },
    Tool {
        name: "test_tool_with_progress",
        title: "Progress",
        description: "Reports progress at once and ends",
        run: slow::progress,
        ..PLAIN
    },
    Tool {
        name: "test_tool_with_logging",
        title: "Logging",
        description: "Sends a log message of each of three levels",
        run: |call| {
            for level in ["debug", "info", "warning"] {
                let data = format!("a message of level {level}");
                logging::log(&call.session, &call.outbox, &call.id, level, &data);
            }
            Answer::Now(Ok(says("logged")))
        },
        ..PLAIN
    },
    Tool {
        name: "test_simple_text",
        title: "Text",
        description: "Returns a line of text",
        run: |_| Answer::Now(Ok(says("This is a simple text."))),
        ..PLAIN
    },
    Tool {
        name: "test_image_content",
        title: "Image",
        description: "Returns an image",
        run: |_| Answer::Now(Ok(returns(vec![content::image()]))),
        ..PLAIN
    },
    Tool {
        name: "test_audio_content",
        title: "Audio",
        description: "Returns a sound",
        since: Revision::V2025_03_26,
        run: |_| Answer::Now(Ok(returns(vec![content::audio()]))),
        ..PLAIN
    },
    Tool {
        name: "test_embedded_resource",
        title: "Embedded resource",
        description: "Returns the contents of a resource",
        run: |call| Answer::Now(Ok(returns(vec![content::embedded(&call.session)]))),
        ..PLAIN
    },
    Tool {
        name: "test_multiple_content_types",
        title: "Mixed content",
        description: "Returns a text, an image and a resource",
        run: content::mixed,
        ..PLAIN
    },
    Tool {
        name: "get-resource-links",
        title: "Resource links",
        description: "Returns links to resources",
        since: Revision::V2025_06_18,
        run: |_| Answer::Now(Ok(returns(content::links()))),
        ..PLAIN
    },
    Tool {
        name: "test_error_handling",
        title: "Failure",
        description: "Always fails",
        run: |_| Answer::Now(Ok(fails("This tool fails on purpose."))),
        ..PLAIN
    },
    Tool {
        name: "test_reconnection",
        title: "Reconnection",
        description: "Lets the connection go before it ends, for the client to come back",
        // Older clients do not come back.
        since: Revision::V2025_11_25,
        run: |call| {
            call.outbox.release();
            Answer::Now(Ok(says("Welcome back.")))
        },
        ..PLAIN
    },
    Tool {
        name: "write-note",
        title: "Write note",
        description: "Writes a note, which becomes a resource",
        read_only: false,
        input: || {
            object(
                json!({ "name": { "type": "string" }, "text": { "type": "string" } }),
                &["name", "text"],
            )
        },
        run: write_note,
        ..PLAIN
    },
    Tool {
        name: "test_sampling",
        title: "Sampling",
        description: "Has the client's model complete a prompt",
        input: || object(json!({ "prompt": { "type": "string" } }), &["prompt"]),
        run: asking::sample,
        ..PLAIN
    },
    Tool {
        name: "test_elicitation",
        title: "Elicitation",
        description: "Has the client ask its user for a name",
        since: Revision::V2025_06_18,
        input: || object(json!({ "message": { "type": "string" } }), &["message"]),
        run: asking::elicit,
        ..PLAIN
    },
    Tool {
        name: "list-roots",
        title: "List roots",
        description: "Lists the roots of the client",
        run: asking::list_roots,
        ..PLAIN
    },
];

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
    if let Some(violation) = schema::violation(&(tool.input)(), &arguments) {
        // From 2025-11-25 on the model is to see what was wrong with its arguments.
        return Answer::Now(if revision >= Revision::V2025_11_25 {
            Ok(fails(&violation))
        } else {
            Err(RpcError::invalid_params(violation))
        });
    }
    let meta = params.get("_meta");
    (tool.run)(Call {
        session: session.clone(),
        outbox: outbox.clone(),
        id,
        revision,
        progress_token: meta.and_then(|meta| meta.get("progressToken")).cloned(),
        arguments,
    })
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
    resources::write_note(&call.session, &call.outbox, name, call.string("text"));
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
