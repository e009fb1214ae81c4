//! Which method is served by what, and the handshake.

use serde_json::{Map, Value, json};

use super::{Answer, Outcome, Session};
use crate::features::{completion, icons, logging, prompts, resources, tasks, tools};
use crate::message::{Request, RpcError};
use crate::outbox::Outbox;
use crate::revision::Revision;

/// The character beyond ASCII shows that what is written is UTF-8.
const INSTRUCTIONS: &str = "A reference server with a bit of everything on its menu, \
    from ping to café au lait. Tools that only read say so; write-note changes the list of resources.";

impl Session {
    /// Serves one request.
    pub(super) fn answer(&self, request: Request, outbox: &Outbox) -> Answer {
        let Request { id, method, params } = request;
        let params = match params.and_then(checked) {
            Ok(params) => params,
            Err(error) => return Answer::Now(Err(error)),
        };
        let revision = match (method.as_str(), self.revision()) {
            ("ping", _) => return Answer::Now(Ok(json!({}))),
            ("initialize", None) => return Answer::Now(self.initialize(&params)),
            ("initialize", Some(_)) => {
                let error = RpcError::invalid_request("the session is initialized already");
                return Answer::Now(Err(error));
            }
            (_, None) => {
                let error = RpcError::invalid_request("the session is not initialized");
                return Answer::Now(Err(error));
            }
            (_, Some(revision)) => revision,
        };
        Answer::Now(match method.as_str() {
            "tools/list" => tools::list(revision, &params),
            "tools/call" => return tools::call(self, outbox, id, revision, &params),
            "resources/list" => resources::list(self, revision, &params),
            "resources/templates/list" => resources::templates(revision, &params),
            "resources/read" => resources::read(self, &params),
            "resources/subscribe" => resources::subscribe(self, &params),
            "resources/unsubscribe" => resources::unsubscribe(self, &params),
            "prompts/list" => prompts::list(revision, &params),
            "prompts/get" => prompts::get(self, &params),
            "completion/complete" => completion::complete(&params),
            "logging/setLevel" => logging::set_level(self, &params),
            "tasks/get" if revision.has_tasks() => tasks::get(self, &params),
            "tasks/result" if revision.has_tasks() => {
                return tasks::result(self, outbox, id, &params);
            }
            "tasks/list" if revision.has_tasks() => tasks::list(self, &params),
            "tasks/cancel" if revision.has_tasks() => tasks::cancel(self, &params),
            _ => Err(RpcError::method_not_found(&method)),
        })
    }

    /// Takes a notification; those that are unknown are ignored.
    pub(super) fn notified(&self, method: &str, params: &Map<String, Value>) {
        match (method, params.get("requestId")) {
            ("notifications/initialized", _) => {
                // One that comes too early says nothing.
                let mut state = self.state();
                state.initialized = state.revision.is_some();
            }
            ("notifications/cancelled", Some(id)) => self.cancel(id),
            _ => {}
        }
    }

    fn initialize(&self, params: &Map<String, Value>) -> Outcome {
        let asked = params.get("protocolVersion").and_then(Value::as_str);
        let capabilities = params.get("capabilities").and_then(Value::as_object);
        let client = params.get("clientInfo").and_then(Value::as_object);
        let (Some(asked), Some(capabilities), Some(client)) = (asked, capabilities, client) else {
            return Err(RpcError::invalid_params(
                "`protocolVersion`, `capabilities` and `clientInfo` are required",
            ));
        };
        if !["name", "version"]
            .iter()
            .all(|member| client.get(*member).is_some_and(Value::is_string))
        {
            return Err(RpcError::invalid_params(
                "`clientInfo` needs a name and a version",
            ));
        }
        let revision = Revision::parse(asked).unwrap_or(Revision::NEWEST);
        let mut state = self.state();
        state.revision = Some(revision);
        state.client_capabilities = capabilities.clone();
        Ok(json!({
            "protocolVersion": revision.as_str(),
            "capabilities": server_capabilities(revision),
            "serverInfo": server_info(revision),
            "instructions": INSTRUCTIONS,
        }))
    }
}

fn server_capabilities(revision: Revision) -> Value {
    let mut capabilities = json!({
        "logging": {},
        "prompts": { "listChanged": true },
        "resources": { "subscribe": true, "listChanged": true },
        "tools": { "listChanged": true },
    });
    // 2024-11-05 has completions, but nothing to declare them with.
    if revision >= Revision::V2025_03_26 {
        capabilities["completions"] = json!({});
    }
    if revision.has_tasks() {
        let requests = json!({ "tools": { "call": {} } });
        capabilities["tasks"] = json!({ "list": {}, "cancel": {}, "requests": requests });
    }
    capabilities
}

fn server_info(revision: Revision) -> Value {
    let mut info = json!({
        "name": "mcp-conform-mock",
        "version": env!("CARGO_PKG_VERSION"),
    });
    if revision >= Revision::V2025_06_18 {
        info["title"] = json!("mcp-conform reference server");
    }
    if revision >= Revision::V2025_11_25 {
        info["description"] = json!("Serves every feature of the protocol in a small way");
        info["websiteUrl"] = json!("https://modelcontextprotocol.io");
        info["icons"] = icons();
    }
    info
}

/// Checks what every method's params have in common.
fn checked(params: Map<String, Value>) -> Result<Map<String, Value>, RpcError> {
    let Some(meta) = params.get("_meta") else {
        return Ok(params);
    };
    if !meta.is_object() {
        return Err(RpcError::invalid_params("`_meta` is not an object"));
    }
    match meta.get("progressToken") {
        None | Some(Value::String(_)) => Ok(params),
        Some(Value::Number(token)) if token.as_f64().is_some_and(|t| t.fract() == 0.0) => {
            Ok(params)
        }
        Some(_) => Err(RpcError::invalid_params(
            "`progressToken` is neither a string nor an integer",
        )),
    }
}
