//! A small MCP server over stdio, with one tool that greets: an example of what `mcp-conform`
//! tests. It speaks every revision that has a handshake.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};

/// The revisions that it speaks, the newest first.
const REVISIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/// The only one in which messages come in arrays too.
const WITH_BATCHES: &str = "2025-03-26";

/// The error codes of JSON-RPC.
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;

/// What goes wrong in a request: a code and a message.
type Error = (i32, String);

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut server = Server::default();
    for line in io::stdin().lock().split(b'\n') {
        if let Some(answer) = server.line(&line?) {
            writeln!(out, "{answer}")?;
            out.flush()?;
        }
    }
    Ok(())
}

/// One session.
#[derive(Default)]
struct Server {
    /// The revision that was agreed on; empty before `initialize`.
    revision: &'static str,
}

impl Server {
    /// The answer to a line: a response, an array of them, or none.
    fn line(&mut self, line: &[u8]) -> Option<Value> {
        if line.trim_ascii().is_empty() {
            return None;
        }
        match serde_json::from_slice(line) {
            Err(error) => Some(response(
                &Value::Null,
                Err((PARSE_ERROR, error.to_string())),
            )),
            Ok(Value::Array(batch)) if self.revision == WITH_BATCHES && !batch.is_empty() => {
                let answers: Vec<_> = batch.iter().filter_map(|one| self.message(one)).collect();
                (!answers.is_empty()).then(|| Value::Array(answers))
            }
            Ok(message) => self.message(&message),
        }
    }

    /// The response to a message; none to what asks for none.
    fn message(&mut self, message: &Value) -> Option<Value> {
        let id = message.get("id");
        let valid_id = id.is_none_or(|id| id.is_string() || id.is_i64() || id.is_u64());
        let method = message["method"].as_str();
        let is_response = message.get("result").or(message.get("error")).is_some();
        match (method, id) {
            (None, _) if is_response => None,
            (Some(method), _) if message["jsonrpc"] == "2.0" && valid_id => {
                // A notification asks for nothing, and this server heeds none.
                let id = id?;
                Some(response(id, self.request(method, &message["params"])))
            }
            _ => {
                let id = id.filter(|_| valid_id).unwrap_or(&Value::Null);
                let error = (INVALID_REQUEST, "no JSON-RPC 2.0 request".to_owned());
                Some(response(id, Err(error)))
            }
        }
    }

    fn request(&mut self, method: &str, params: &Value) -> Result<Value, Error> {
        if !params.is_null() && !params.is_object() {
            return Err((INVALID_PARAMS, "`params` must be an object".to_owned()));
        }
        match method {
            "initialize" => self.initialize(params),
            "ping" => Ok(json!({})),
            _ if self.revision.is_empty() => {
                Err((INVALID_REQUEST, "`initialize` comes first".to_owned()))
            }
            "tools/list" => tools(params),
            "tools/call" => call(params),
            _ => Err((METHOD_NOT_FOUND, format!("there is no method {method}"))),
        }
    }

    /// Agrees on the revision that was asked for, or offers the newest.
    fn initialize(&mut self, params: &Value) -> Result<Value, Error> {
        let asked = params["protocolVersion"]
            .as_str()
            .ok_or((INVALID_PARAMS, "`protocolVersion` is missing".to_owned()))?;
        let known = REVISIONS.into_iter().find(|revision| *revision == asked);
        self.revision = known.unwrap_or(REVISIONS[0]);
        Ok(json!({
            "protocolVersion": self.revision,
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "example-rust-server", "version": env!("CARGO_PKG_VERSION") },
        }))
    }
}

/// All tools on one page.
fn tools(params: &Value) -> Result<Value, Error> {
    if params.get("cursor").is_some() {
        return Err((INVALID_PARAMS, "there is no such cursor".to_owned()));
    }
    Ok(json!({ "tools": [{
        "name": "greet",
        "description": "Greets someone by name",
        "inputSchema": {
            "type": "object",
            "properties": { "name": { "type": "string" } },
            "required": ["name"],
        },
        "annotations": { "readOnlyHint": true },
    }] }))
}

fn call(params: &Value) -> Result<Value, Error> {
    let tool = params["name"].as_str().unwrap_or_default();
    if tool != "greet" {
        return Err((INVALID_PARAMS, format!("there is no tool {tool}")));
    }
    // What is wrong with the arguments is for the model to read and to mend.
    let (text, failed) = match params["arguments"]["name"].as_str() {
        Some(name) => (format!("Hello, {name}!"), false),
        None => ("`name` must be a string".to_owned(), true),
    };
    let content = json!([{ "type": "text", "text": text }]);
    Ok(json!({ "content": content, "isError": failed }))
}

fn response(id: &Value, outcome: Result<Value, Error>) -> Value {
    match outcome {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err((code, message)) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
        }
    }
}
