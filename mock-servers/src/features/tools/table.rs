//! The tools that are offered.

use serde_json::json;

use super::{
    PLAIN, TaskSupport, Tool, asking, content, fails, object, research, returns, says, slow,
    write_note,
};
use crate::features::logging;
use crate::message::RpcError;
use crate::revision::Revision;
use crate::session::{Answer, Cause};

pub(super) const TOOLS: &[Tool] = &[
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
        task_support: TaskSupport::Optional,
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
                logging::log(&call.session, &call.cause, level, &data);
            }
            Answer::Now(Ok(says("logged")))
        },
        ..PLAIN
    },
    Tool {
        name: "test_simple_text",
        title: "Text",
        description: "Returns a line of text",
        task_support: TaskSupport::Forbidden,
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
        task_support: TaskSupport::Optional,
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
            if let Cause::Request(_, outbox) = &call.cause {
                outbox.release();
            }
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
    Tool {
        name: "ping-client",
        title: "Ping the client",
        description: "Asks the client whether it is still there",
        run: asking::ping,
        ..PLAIN
    },
    Tool {
        name: "simulate-research-query",
        title: "Research",
        description: "Pretends to look something up in several stages, as a task",
        since: Revision::V2025_11_25,
        task_support: TaskSupport::Required,
        input: || {
            object(
                json!({ "topic": { "type": "string" }, "ambiguous": { "type": "boolean" } }),
                &["topic"],
            )
        },
        run: research::research,
        ..PLAIN
    },
    Tool {
        name: "fail-with-error",
        title: "Protocol error",
        description: "Ends in an error of JSON-RPC",
        task_support: TaskSupport::Optional,
        run: |_| Answer::Now(Err(RpcError::new(-32050, "this tool breaks on purpose"))),
        ..PLAIN
    },
];
