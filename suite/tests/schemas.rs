//! Messages judged by the schemas: what is said of each defect, and which clause it belongs to.

use std::collections::BTreeSet;

use mcp_conform::spec::{
    Revision::{self, V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25, V2026_07_28},
    methods::{self, METHODS, Side},
    schema::{self, Keyword, LIMIT, Mismatch, Mismatches, Step},
};
use serde_json::{Value, json};

fn said(judgement: Result<(), Mismatches>) -> String {
    judgement.map_or_else(|found| found.to_string(), |()| "fits".to_owned())
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[rustfmt::skip]
const RESULTS: &[(&str, &str, &str)] = &[
    ("ping", r#"{"anything": 1}"#, "fits"),
    ("ping", r#"null"#, "the result must be an object, but is null"),
    ("ping", r#"[]"#, "the result must be an object, but is an array"),
    ("roots/list", r#"{"roots": [], "_meta": null}"#, "`_meta` must be an object, but is null"),
    ("com.example/own", r#"{"_meta": 1}"#, "`_meta` must be an object, but is the number 1"),
    ("initialize", r#"{"protocolVersion": 1, "capabilities": {}, "serverInfo": {"name": "a", "version": "1"}}"#,
        "`protocolVersion` must be a string, but is the number 1"),
    ("initialize", r#"{"protocolVersion": "", "capabilities": {}, "serverInfo": {"name": "a"}}"#,
        "`serverInfo` lacks the required member `version`"),
    ("initialize", r#"{"protocolVersion": "", "capabilities": {"experimental": {"x y": true}}, "serverInfo": {"name": "a", "version": "1"}}"#,
        r#"`capabilities.experimental["x y"]` must be an object, but is true"#),
    ("tools/list", r#"{}"#, "the result lacks the required member `tools`"),
    ("tools/list", r#"{"tools": "none"}"#, r#"`tools` must be an array, but is the string "none""#),
    ("tools/list", r#"{"tools": [{"name": "a", "inputSchema": {"type": "object"}}, {"name": "b", "inputSchema": {"type": "array"}}]}"#,
        r#"`tools[1].inputSchema.type` must be "object", but is "array""#),
    ("tools/list", r#"{"tools": [{"name": "a", "inputSchema": {"type": ["object"]}}]}"#,
        r#"`tools[0].inputSchema.type` must be "object", but is an array"#),
    ("tools/list", r#"{"tools": [{"name": "a", "inputSchema": {}}]}"#,
        "`tools[0].inputSchema` lacks the required member `type`"),
    ("tools/list", r#"{"tools": [{"name": "a", "inputSchema": {"type": "object", "properties": {"x": true}}}]}"#,
        "`tools[0].inputSchema.properties.x` must be an object, but is true"),
    ("tools/call", r#"{"content": ["text"]}"#, r#"`content[0]` must be an object, but is the string "text""#),
    ("tools/call", r#"{"content": [{}]}"#, "`content[0]` lacks the required member `type`"),
    ("tools/call", r#"{"content": [{"type": "text"}]}"#,
        r#"`content[0]`, of type "text", lacks the required member `text`"#),
    ("tools/call", r#"{"content": [{"type": "text", "text": 5}]}"#,
        "`content[0].text` must be a string, but is the number 5"),
    ("tools/call", r#"{"content": [{"type": "json"}]}"#,
        r#"`content[0].type` must be "text", "image", "audio", "resource_link" or "resource", but is "json""#),
    ("tools/call", r#"{"content": [{"type": null}]}"#,
        r#"`content[0].type` must be "text", "image", "audio", "resource_link" or "resource", but is null"#),
    ("tools/call", r#"{"content": [{"type": "resource", "resource": {"uri": "a:b"}}]}"#,
        "`content[0].resource` lacks the required member `text` or `blob`"),
    ("tools/call", r#"{"content": [{"type": "resource", "resource": {"text": ""}}]}"#,
        "`content[0].resource` lacks the required member `uri`"),
    ("tools/call", r#"{"content": [{"type": "resource", "resource": {}}]}"#,
        "`content[0].resource` lacks the required member `uri` (and 1 more)"),
    ("tools/call", r#"{"content": [{"type": "text", "text": "", "annotations": {"priority": 1.5}}]}"#,
        "`content[0].annotations.priority` must be 1 or less, but is 1.5"),
    ("tools/call", r#"{"content": [{"type": "text", "text": "", "annotations": {"priority": -1}}]}"#,
        "`content[0].annotations.priority` must be 0 or more, but is -1"),
    ("tools/call", r#"{"content": [{"type": "text", "text": "", "annotations": {"audience": ["User"]}}]}"#,
        r#"`content[0].annotations.audience[0]` must be "user" or "assistant", but is "User""#),
    ("resources/read", r#"{"contents": [{"uri": "a:b", "text": {}}]}"#,
        "`contents[0].text` must be a string, but is an object"),
    ("resources/read", r#"{"contents": [{"uri": "a:b", "text": null, "blob": ""}]}"#, "fits"),
    ("resources/list", r#"{"resources": [{"uri": "a:b", "name": "b", "size": 1.5}]}"#,
        "`resources[0].size` must be an integer, but is the number 1.5"),
    ("resources/list", r#"{"resources": [{"uri": "no uri", "name": "b", "size": 1.0}]}"#, "fits"),
    ("tasks/get", r#"{"taskId": "1", "status": "working", "createdAt": "", "lastUpdatedAt": "", "ttl": "1"}"#,
        r#"`ttl` must be a number or null, but is the string "1""#),
    ("tasks/result", r#"{"content": "whatever was asked"}"#, "fits"),
    ("completion/complete", r#"{"completion": {"values": [7]}}"#,
        "`completion.values[0]` must be a string, but is the number 7"),
    ("sampling/createMessage", r#"{"role": "user", "model": "m", "content": "text"}"#,
        r#"`content` must be an object or an array, but is the string "text""#),
    ("sampling/createMessage", r#"{"role": "user", "model": "m", "content": [{"type": "text", "text": ""}, {"type": "tool_use", "id": "1", "name": "a"}]}"#,
        r#"`content[1]`, of type "tool_use", lacks the required member `input`"#),
    ("elicitation/create", r#"{"action": "accept", "content": {"a": 1.5, "b": null}}"#,
        "`content.b` must be a string, a number, a boolean or an array, but is null"),
];

#[test]
fn a_defect_of_a_result_is_told_at_its_deepest_cause() {
    for (method, result, words) in RESULTS {
        let judgement = schema::judge_result(V2025_11_25, method, None, &value(result));
        assert_eq!(said(judgement), *words, "{method}: {result}");
    }
}

#[rustfmt::skip]
const MESSAGES: &[(Revision, &str, &str)] = &[
    (V2024_11_05, r#"{"jsonrpc": "2.0", "id": 1, "method": "ping"}"#, "fits"),
    (V2024_11_05, r#"{"id": 1, "method": "ping"}"#, "the message lacks the required member `jsonrpc`"),
    (V2025_06_18, r#"{"jsonrpc": 2, "id": 1, "method": "ping"}"#, r#"`jsonrpc` must be "2.0", but is 2"#),
    (V2025_06_18, r#"{"jsonrpc": "2.0", "id": null, "method": "ping"}"#, "`id` must be a string or an integer, but is null"),
    (V2025_11_25, r#"{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}"#, "`id` must be a string or an integer, but is the number 1.5"),
    (V2025_11_25, r#"{"jsonrpc": "2.0", "method": "ping"}"#, "the message lacks the required member `id`"),
    (V2025_11_25, r#"{"jsonrpc": "2.0", "method": 5}"#, "`method` must be a string, but is the number 5"),
    (V2025_11_25, r#"{"jsonrpc": "2.0", "method": "com.example/own", "params": []}"#, "`params` must be an object, but is an array"),
    (V2025_11_25, r#"{"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": null}"#, "`params` must be an object, but is null"),
    (V2024_11_05, r#"{"jsonrpc": "2.0", "method": "notifications/message"}"#, "the message lacks the required member `params`"),
    (V2024_11_05, r#"{"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "warn", "data": null}}"#,
        r#"`params.level` must be "debug", "info", "notice", "warning", "error", "critical", "alert" or "emergency", but is "warn""#),
    (V2025_06_18, r#"{"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1, "total": null, "message": 1}}"#,
        "`params.total` must be a number, but is null (and 1 more)"),
    // The method is not of this revision, so it is only a request.
    (V2025_03_26, r#"{"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {}}"#, "fits"),
    (V2025_06_18, r#"{"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {}}"#,
        "`params` lacks the required member `message` (and 1 more)"),
    // Without a mode it is a form.
    (V2025_11_25, r#"{"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {"message": ""}}"#,
        "`params` lacks the required member `requestedSchema`"),
    (V2025_11_25, r#"{"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {"mode": "url", "message": "", "elicitationId": ""}}"#,
        r#"`params`, of mode "url", lacks the required member `url`"#),
    (V2025_11_25, r#"{"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {"mode": "link", "message": ""}}"#,
        r#"`params.mode` must be "form" or "url", but is "link""#),
    (V2025_11_25, r#"{"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {"message": "", "requestedSchema": {"type": "object", "properties": {"a": {"type": "object"}}}}}"#,
        r#"`params.requestedSchema.properties.a.type` must be "string", "number", "integer", "boolean" or "array", but is "object""#),
    (V2025_11_25, r#"{"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {"message": "", "requestedSchema": {"type": "object", "properties": {"a": {"type": "string", "minLength": "1"}}}}}"#,
        r#"`params.requestedSchema.properties.a.minLength` must be an integer, but is the string "1""#),
];

#[test]
fn a_defect_of_a_message_is_told_by_its_method_and_revision() {
    for (revision, message, words) in MESSAGES {
        let message = value(message);
        let judgement = schema::judge_call(*revision, &message);
        assert_eq!(said(judgement), *words, "{revision}: {message}");
    }
}

#[test]
fn arrays_have_their_length() {
    let batch = schema::judge(V2025_03_26, "JSONRPCBatchRequest", &json!([]));
    assert_eq!(
        said(batch),
        "the value must have 1 or more items, but has 0"
    );
    let values = vec![""; 101];
    let result = json!({ "resultType": "complete", "completion": { "values": values } });
    let result = schema::judge_result(V2026_07_28, "completion/complete", None, &result);
    assert_eq!(
        said(result),
        "`completion.values` must have 100 or fewer items, but has 101"
    );
}

#[test]
fn what_a_request_asked_for_decides_how_its_result_is_read() {
    let task = json!({ "name": "a", "task": {} });
    for (revision, method, params, result, words) in [
        (
            V2025_11_25,
            "tools/call",
            &task,
            r#"{"content": []}"#,
            "fits",
        ),
        (
            V2025_11_25,
            "tools/call",
            &task,
            r#"{"content": 1}"#,
            "`content` must be an array, but is the number 1",
        ),
        (
            V2025_11_25,
            "tools/call",
            &task,
            r#"{"taskId": "1"}"#,
            "the result lacks the required member `task`",
        ),
        (
            V2025_11_25,
            "tools/call",
            &task,
            r#"{"task": null}"#,
            "`task` must be an object, but is null",
        ),
        (
            V2025_11_25,
            "tools/call",
            &json!({}),
            r#"{"task": null}"#,
            "the result lacks the required member `content`",
        ),
        (
            V2025_06_18,
            "tools/call",
            &task,
            r#"{"task": null}"#,
            "the result lacks the required member `content`",
        ),
        (
            V2025_11_25,
            "tools/list",
            &task,
            r#"{"task": null}"#,
            "the result lacks the required member `tools`",
        ),
        (
            V2026_07_28,
            "tools/call",
            &json!({}),
            r#"{"resultType": "complete"}"#,
            "the result lacks the required member `content`",
        ),
        (
            V2026_07_28,
            "tools/call",
            &json!({}),
            r#"{"content": []}"#,
            "the result lacks the required member `resultType`",
        ),
        (
            V2026_07_28,
            "tools/call",
            &json!({}),
            r#"{"resultType": "input_required"}"#,
            "the result lacks the required member `inputRequests` or `requestState`",
        ),
        (
            V2026_07_28,
            "tools/call",
            &json!({}),
            r#"{"resultType": "input_required", "inputRequests": {"a": {"method": "roots/list"}}}"#,
            "fits",
        ),
        (
            V2026_07_28,
            "tools/call",
            &json!({}),
            r#"{"resultType": "input_required", "inputRequests": {"a": {"method": "ping"}}}"#,
            r#"`inputRequests.a.method` must be "elicitation/create", "sampling/createMessage" or "roots/list", but is "ping""#,
        ),
        (
            V2026_07_28,
            "tools/call",
            &json!({}),
            r#"{"resultType": "task"}"#,
            "fits",
        ),
    ] {
        let judgement = schema::judge_result(revision, method, Some(params), &value(result));
        assert_eq!(said(judgement), words, "{revision} {method}: {result}");
    }
}

#[test]
fn the_first_in_the_value_is_told_and_the_others_are_counted() {
    let tools = |count| json!(vec![json!({ "name": null, "inputSchema": null }); count]);
    for (result, words) in [
        (
            json!({ "nextCursor": 1, "tools": tools(2) }),
            "`nextCursor` must be a string, but is the number 1 (and 4 more)",
        ),
        (
            json!({ "tools": tools(2), "nextCursor": 1 }),
            "`tools[0].name` must be a string, but is null (and 4 more)",
        ),
        (
            json!({ "tools": tools(5000) }),
            "`tools[0].name` must be a string, but is null (and at least 15 more)",
        ),
    ] {
        let judgement = schema::judge_result(V2025_11_25, "tools/list", None, &result);
        assert!(
            judgement
                .as_ref()
                .is_err_and(|found| found.iter().count() <= LIMIT)
        );
        assert_eq!(said(judgement), words);
    }
}

#[test]
fn what_two_parents_demand_is_told_once() {
    let missing = json!({ "role": "user", "content": { "type": "text", "text": "" } });
    let judgement = schema::judge_result(V2026_07_28, "tools/list", None, &json!({ "tools": [] }));
    let found = judgement.unwrap_err();
    let places: Vec<String> = found.iter().map(|found| found.place().join("/")).collect();
    assert_eq!(places, ["resultType", "ttlMs", "cacheScope"]);
    let judgement = schema::judge_result(V2024_11_05, "sampling/createMessage", None, &missing);
    assert_eq!(
        said(judgement),
        "the result lacks the required member `model`"
    );
}

#[test]
fn text_of_the_server_is_escaped_and_cut() {
    let result = json!({ "tools": "\u{202e}\u{1b}[31m\n\"" });
    let judgement = schema::judge_result(V2025_11_25, "tools/list", None, &result);
    assert_eq!(
        said(judgement),
        r#"`tools` must be an array, but is the string "\u{202e}\u{1b}[31m\n\"""#
    );
    let result =
        json!({ "capabilities": { "experimental": { "\u{9b}".repeat(100): "é".repeat(100) } } });
    let judgement = schema::judge_result(V2025_11_25, "initialize", None, &result);
    let found = judgement.unwrap_err();
    let long = found
        .iter()
        .find(|found| found.steps.len() == 3)
        .unwrap()
        .to_string();
    assert!(
        long.starts_with(r#"`capabilities.experimental["\u{9b}\u{9b}"#),
        "{long}"
    );
    assert!(long.ends_with(r#"éé…""#), "{long}");
    assert!(long.chars().count() < 600, "{long}");
}

#[test]
fn a_mismatch_can_be_taken_apart() {
    let result = json!({ "content": [{ "type": "image", "data": "" }] });
    let found = schema::judge_result(V2025_11_25, "tools/call", None, &result).unwrap_err();
    let first = found.first();
    assert_eq!(first.definition, "CallToolResult");
    assert_eq!(
        first.steps,
        [Step::Member("content".to_owned()), Step::Item(0)]
    );
    assert_eq!(first.keyword, Keyword::Required("mimeType"));
    assert_eq!(first.place(), ["content", "*", "mimeType"]);
    assert_eq!(first.kind.as_ref().map(|kind| kind.value), Some("image"));
    assert_eq!(
        (&*first.path, &*first.expected),
        ("content[0]", "a member `mimeType`")
    );
    let judged =
        |leaves| schema::judge_result_but(V2025_11_25, "tools/call", None, &result, leaves);
    assert_eq!(judged(&|_| true), Ok(()));
    assert_eq!(judged(&|_| false), Err(found));
}

#[test]
fn what_is_left_to_others_hides_nothing() {
    // More of it than are told apart, and one that is not left.
    let mut tools = vec![json!({ "name": 1, "inputSchema": { "type": "object" } }); LIMIT + 1];
    tools.push(json!({ "name": "a", "inputSchema": { "type": "object" }, "title": 1 }));
    let result = json!({ "tools": tools });
    let leaves = |found: &Mismatch| found.place() == ["tools", "*", "name"];
    let judged = schema::judge_result_but(V2025_11_25, "tools/list", None, &result, &leaves);
    assert_eq!(
        said(judged),
        format!(
            "`tools[{}].title` must be a string, but is the number 1",
            LIMIT + 1
        )
    );
}

#[test]
fn methods_are_those_that_the_schemas_give_to_each_side() {
    for revision in Revision::ALL {
        let text = schemas::MCP[revision as usize].1;
        let definitions = value(text)["$defs"].take();
        for (side, kind) in [
            (Side::Client, "ClientRequest"),
            (Side::Server, "ServerRequest"),
            (Side::Client, "ClientNotification"),
            (Side::Server, "ServerNotification"),
        ] {
            let of_table: BTreeSet<&str> = METHODS
                .iter()
                .filter(|method| method.holds_in(revision) && method.is_sent_by(side))
                .filter(|method| method.is_request() == kind.ends_with("Request"))
                .map(|method| method.definition)
                .collect();
            assert_eq!(
                of_table,
                referred_to(&definitions[kind]),
                "{kind} of {revision}"
            );
        }
        for method in METHODS.iter().filter(|method| method.holds_in(revision)) {
            let name = &definitions[method.definition]["properties"]["method"]["const"];
            assert_eq!(name, method.name);
            assert!(
                method
                    .result
                    .is_none_or(|result| definitions.get(result).is_some())
            );
            let same =
                |other: &&methods::Method| other.name == method.name && other.holds_in(revision);
            assert_eq!(METHODS.iter().filter(same).count(), 1, "{}", method.name);
        }
    }
}

/// The definitions that a union, or a mere reference, consists of.
fn referred_to(union: &Value) -> BTreeSet<&str> {
    let branches = union["anyOf"]
        .as_array()
        .map_or(std::slice::from_ref(union), Vec::as_slice);
    let names = branches.iter().filter_map(|branch| branch["$ref"].as_str());
    names
        .map(|name| name.trim_start_matches("#/$defs/"))
        .collect()
}

#[test]
fn a_method_belongs_to_revisions_and_sides() {
    let of = |name, side| methods::revisions(name, side).collect::<Vec<_>>();
    assert_eq!(of("ping", Side::Server), Revision::WITH_HANDSHAKE);
    assert_eq!(of("tools/call", Side::Client), Revision::ALL);
    assert_eq!(of("tools/call", Side::Server), []);
    assert_eq!(
        of("elicitation/create", Side::Server),
        [V2025_06_18, V2025_11_25]
    );
    assert_eq!(
        of("notifications/progress", Side::Client),
        Revision::WITH_HANDSHAKE
    );
    assert_eq!(of("com.example/own", Side::Server), []);
    assert!(methods::find(V2025_11_25, "server/discover").is_none());
}

#[rustfmt::skip]
const OWNERS: &[(Revision, &str, &str, Option<&str>)] = &[
    (V2025_11_25, "ping", "null", Some("jsonrpc/result-object")),
    (V2025_11_25, "logging/setLevel", "null", Some("logging/set-level-result-object")),
    (V2025_11_25, "ping", r#"{"_meta": null}"#, Some("jsonrpc/meta-object")),
    (V2025_11_25, "tools/list", r#"{"tools": [{"name": "a", "inputSchema": {"type": "object"}, "_meta": 1}]}"#, Some("jsonrpc/meta-object")),
    (V2025_11_25, "initialize", r#"{"capabilities": {}, "serverInfo": {"name": "a", "version": "1"}}"#, Some("lifecycle/result-protocol-version")),
    (V2025_11_25, "initialize", r#"{"protocolVersion": "", "serverInfo": {"name": "a", "version": "1"}}"#, Some("lifecycle/result-capabilities")),
    (V2025_11_25, "initialize", r#"{"protocolVersion": "", "capabilities": {"tools": true}, "serverInfo": {"name": "a", "version": "1"}}"#, Some("tools/capability-shape")),
    (V2025_11_25, "initialize", r#"{"protocolVersion": "", "capabilities": {"tasks": {"list": true}}, "serverInfo": {"name": "a", "version": "1"}}"#, Some("utilities/task-capability-shape")),
    (V2025_11_25, "initialize", r#"{"protocolVersion": "", "capabilities": {}, "serverInfo": {"name": "a"}}"#, Some("lifecycle/server-info-version")),
    (V2025_11_25, "initialize", r#"{"protocolVersion": "", "capabilities": {}, "serverInfo": {"name": "a", "version": "1", "icons": [{"src": 1}]}}"#, Some("lifecycle/server-info-icons")),
    (V2025_11_25, "tools/list", r#"{"tools": [], "nextCursor": null}"#, Some("pagination/next-cursor-type")),
    (V2025_11_25, "tools/list", r#"{"tools": [1]}"#, Some("tools/list-result-shape")),
    (V2025_11_25, "tools/list", r#"{"tools": [{"name": "a", "inputSchema": {"type": "object", "required": [1]}}]}"#, Some("tools/input-schema-valid")),
    (V2025_11_25, "tools/list", r#"{"tools": [{"name": "a", "inputSchema": {"type": "object", "properties": {"a": true}}}]}"#, Some("tools/schema-no-boolean-properties")),
    (V2025_11_25, "tools/call", r#"{"content": [{"type": "text"}]}"#, Some("tools/text-content-shape")),
    (V2025_11_25, "tools/call", r#"{"content": [{"type": "image", "data": 1}]}"#, Some("tools/image-content-shape")),
    (V2025_11_25, "tools/call", r#"{"content": [{"type": "resource", "resource": {"uri": "a:b"}}]}"#, Some("tools/embedded-resource-shape")),
    (V2025_11_25, "tools/call", r#"{"content": [{"type": "resource", "resource": {"uri": "a:b", "text": "", "mimeType": 1}}]}"#, None),
    (V2025_11_25, "tools/call", r#"{"content": [{"type": "resource_link", "uri": "a:b"}]}"#, Some("tools/resource-link-shape")),
    (V2025_11_25, "tools/call", r#"{"content": [{"type": "resource_link", "uri": "a:b", "name": "a", "size": "1"}]}"#, None),
    (V2025_11_25, "tools/call", r#"{"content": [{"type": "text", "text": "", "annotations": {"priority": 2}}]}"#, Some("tools/content-annotations")),
    (V2025_11_25, "tools/call", r#"{"content": [{"type": "json"}]}"#, Some("tools/content-type-known")),
    (V2024_11_05, "tools/call", r#"{"content": [{"type": "json"}]}"#, Some("tools/content-type-known")),
    (V2024_11_05, "tools/call", r#"{"content": [{"type": "audio"}]}"#, Some("tools/content-type-of-revision")),
    (V2025_03_26, "prompts/get", r#"{"messages": [{"role": "user", "content": {"type": "resource_link"}}]}"#, Some("prompts/content-type-of-revision")),
    (V2025_11_25, "prompts/get", r#"{"messages": [{"role": "user", "content": []}]}"#, Some("prompts/message-content-object")),
    (V2025_11_25, "prompts/get", r#"{"messages": [{"role": "user", "content": {"type": "resource", "resource": {"uri": "a:b"}}}]}"#, Some("prompts/embedded-resource-content")),
    (V2025_11_25, "resources/read", r#"{"contents": [{"uri": "a:b"}]}"#, Some("resources/contents-text-or-blob")),
    (V2025_11_25, "tasks/get", r#"{"taskId": "1", "status": "working", "createdAt": "", "lastUpdatedAt": ""}"#, Some("utilities/task-ttl-present")),
    (V2025_11_25, "tasks/cancel", r#"{"taskId": "1", "status": "canceled", "createdAt": "", "lastUpdatedAt": "", "ttl": 1}"#, Some("utilities/task-status-value")),
    (V2025_11_25, "com.example/own", r#"[]"#, Some("jsonrpc/result-object")),
    (V2026_07_28, "ping", r#"{}"#, None),
];

#[test]
fn a_defect_of_a_result_belongs_to_the_clause_that_judges_it() {
    for (revision, method, result, owner) in OWNERS {
        let judgement = schema::judge_result(*revision, method, None, &value(result));
        let found = judgement.expect_err(result);
        assert_eq!(
            schema::owner(*revision, method, found.first()),
            *owner,
            "{method}: {found}"
        );
    }
}

#[rustfmt::skip]
const MESSAGE_OWNERS: &[(&str, Option<&str>)] = &[
    (r#"{"id": 1, "method": "ping"}"#, Some("jsonrpc/version-member")),
    (r#"{"jsonrpc": "2.0", "id": null, "method": "ping"}"#, Some("jsonrpc/server-request-id")),
    (r#"{"jsonrpc": "2.0", "method": "ping"}"#, None),
    (r#"{"jsonrpc": "2.0", "method": "roots/list"}"#, Some("roots/request-shape")),
    (r#"{"jsonrpc": "2.0", "method": ""}"#, None),
    (r#"{"jsonrpc": "2.0", "method": 1}"#, Some("jsonrpc/method-name")),
    (r#"{"jsonrpc": "2.0", "method": "notifications/message", "params": null}"#, Some("jsonrpc/params-object")),
    (r#"{"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info"}}"#, Some("logging/message-data")),
    (r#"{"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": 1, "_meta": 1}}"#, Some("jsonrpc/meta-object")),
    (r#"{"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}}"#, Some("utilities/progress-known-token")),
    (r#"{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": null}}"#, Some("utilities/server-cancels-own-requests")),
    (r#"{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1, "reason": null}}"#, None),
    (r#"{"jsonrpc": "2.0", "method": "notifications/tasks/status", "params": {"taskId": "1", "status": "working", "createdAt": "", "ttl": 1}}"#, Some("utilities/task-status-notification")),
    (r#"{"jsonrpc": "2.0", "method": "notifications/tasks/status", "params": {"taskId": "1", "status": "working", "createdAt": "", "lastUpdatedAt": ""}}"#, Some("utilities/task-ttl-present")),
    (r#"{"jsonrpc": "2.0", "id": 1, "method": "sampling/createMessage", "params": {"maxTokens": 1, "messages": [{"role": "user", "content": [{"type": "text"}]}]}}"#, Some("sampling/content-fields")),
    (r#"{"jsonrpc": "2.0", "id": 1, "method": "sampling/createMessage", "params": {"maxTokens": 1, "messages": [{"role": "user", "content": {"type": "tool_result", "toolUseId": "1", "content": [{"type": "x"}]}}]}}"#, Some("sampling/tool-block-shape")),
    (r#"{"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {"message": "", "requestedSchema": {"type": "object", "properties": {"a": {"type": "string", "enum": [1]}}}}}"#, None),
    (r#"{"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {"message": "", "requestedSchema": {"type": "object", "properties": {"a": {"type": "boolean", "default": "no"}}}}}"#, Some("elicitation/default-type")),
];

#[test]
fn a_defect_of_a_message_belongs_to_the_clause_that_judges_it() {
    for (text, owner) in MESSAGE_OWNERS {
        let message = value(text);
        let judgement = schema::judge_call(V2025_11_25, &message);
        let method = message["method"].as_str().unwrap_or_default();
        let found = judgement.map_err(|found| schema::owner(V2025_11_25, method, found.first()));
        assert_eq!(found.err().flatten(), *owner, "{text}");
    }
}

#[test]
fn only_what_another_case_judges_is_left_to_it() {
    let result = json!({ "tools": [{
        "name": null, "inputSchema": { "type": "object", "properties": { "a": true } }
    }] });
    let rest = |built: &[&str]| {
        let method = "tools/list";
        let is_built = |id: &str| built.contains(&id);
        let leaves = |found: &Mismatch| schema::is_owned(V2025_11_25, method, found, is_built);
        schema::judge_result_but(V2025_11_25, method, None, &result, &leaves)
    };
    let words = "`tools[0].name` must be a string, but is null";
    assert_eq!(said(rest(&[])), words);
    assert_eq!(rest(&["tools/name-string"]), Ok(()));
}
