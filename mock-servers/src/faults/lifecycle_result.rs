//! Faults in what `initialize` is answered with.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::policy::random_id;
use crate::scene::Asked;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "initialize-refused",
        violates: "lifecycle/initialize-answered",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("initialize") && reply["result"].is_object() {
                *reply = asked.refusal(-32603, "the server is not set up");
            }
        }),
    },
    Fault {
        name: "init-version-missing",
        violates: "lifecycle/result-protocol-version",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if knows_much(asked) {
                remove(reply, "/result", "protocolVersion");
            }
        }),
    },
    Fault {
        name: "init-version-invented",
        violates: "lifecycle/result-version-published",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if knows_much(asked) {
                set(reply, "/result", "protocolVersion", json!("latest"));
            }
        }),
    },
    Fault {
        name: "init-capabilities-missing",
        violates: "lifecycle/result-capabilities",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if knows_much(asked) {
                remove(reply, "/result", "capabilities");
            }
        }),
    },
    Fault {
        name: "server-info-missing",
        violates: "lifecycle/server-info",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("initialize") {
                remove(reply, "/result", "serverInfo");
            }
        }),
    },
    Fault {
        name: "server-info-name-missing",
        violates: "lifecycle/server-info-name",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("initialize") {
                remove(reply, "/result/serverInfo", "name");
            }
        }),
    },
    Fault {
        name: "server-info-version-missing",
        violates: "lifecycle/server-info-version",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("initialize") {
                remove(reply, "/result/serverInfo", "version");
            }
        }),
    },
    Fault {
        name: "server-info-title-null",
        violates: "lifecycle/server-info-title",
        drags: &[],
        bend: Bend::Reply(|asked, reply| set_info(asked, reply, "title", Value::Null)),
    },
    Fault {
        name: "server-info-description-null",
        violates: "lifecycle/server-info-description",
        drags: &[],
        bend: Bend::Reply(|asked, reply| set_info(asked, reply, "description", Value::Null)),
    },
    Fault {
        name: "server-info-website-relative",
        violates: "lifecycle/server-info-website-url",
        drags: &[],
        bend: Bend::Reply(|asked, reply| set_info(asked, reply, "websiteUrl", json!("/docs"))),
    },
    Fault {
        name: "server-info-icon-without-src",
        violates: "lifecycle/server-info-icons",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let icons = json!([{ "mimeType": "image/png", "sizes": ["1x1"] }]);
            set_info(asked, reply, "icons", icons);
        }),
    },
    Fault {
        name: "instructions-null",
        violates: "lifecycle/instructions-string",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("initialize") {
                set(reply, "/result", "instructions", Value::Null);
            }
        }),
    },
    Fault {
        name: "experimental-boolean",
        violates: "lifecycle/experimental-shape",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            set_experimental(asked, reply, json!({ "com.example.turbo": true }));
        }),
    },
    Fault {
        name: "capabilities-flap",
        violates: "lifecycle/answers-reproducible",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let build = json!({ "number": random_id(0) });
            set_experimental(asked, reply, json!({ "com.example.build": build }));
        }),
    },
    Fault {
        name: "undeclared-method-wrong-code",
        violates: "lifecycle/undeclared-method-code",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("initialize") {
                remove(reply, "/result/capabilities", "prompts");
            }
            let is_undeclared = |method: &str| method.starts_with("prompts/");
            if asked.is_request() && asked.method().is_some_and(is_undeclared) {
                *reply = asked.refusal(-32600, "prompts are switched off");
            }
        }),
    },
];

/// Whether a client tells more of itself with `initialize` than a plain one. What would
/// keep a session from beginning is wrong in the answers to such clients only.
fn knows_much(asked: &Asked<'_>) -> bool {
    let client = &asked.message["params"]["clientInfo"];
    asked.is("initialize")
        && ["description", "websiteUrl", "icons"]
            .iter()
            .any(|member| client.get(*member).is_some())
}

fn set_info(asked: &Asked<'_>, reply: &mut Value, member: &str, value: Value) {
    if asked.is("initialize") {
        set(reply, "/result/serverInfo", member, value);
    }
}

fn set_experimental(asked: &Asked<'_>, reply: &mut Value, experimental: Value) {
    if asked.is("initialize") {
        set(reply, "/result/capabilities", "experimental", experimental);
    }
}

/// Sets a member of the object at that place, if there is one.
fn set(reply: &mut Value, place: &str, member: &str, value: Value) {
    if let Some(Value::Object(members)) = reply.pointer_mut(place) {
        members.insert(member.to_owned(), value);
    }
}

fn remove(reply: &mut Value, place: &str, member: &str) {
    if let Some(Value::Object(members)) = reply.pointer_mut(place) {
        members.shift_remove(member);
    }
}
