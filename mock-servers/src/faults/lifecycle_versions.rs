//! Faults in how the revision is agreed on, and which `initialize` is taken.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::revision::Revision;
use crate::scene::Asked;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "version-counter-offer-unsupported",
        violates: "lifecycle/version-offer-honest",
        drags: &[(
            "lifecycle/counter-offer-latest",
            "what is offered has to be a published version, and the newest is in use",
        )],
        bend: Bend::Several(&[
            Bend::Receive(|_, messages| {
                for message in messages.iter_mut().filter(|m| wants(m, OFFERED)) {
                    message["params"]["protocolVersion"] = json!("2025-06-18");
                }
            }),
            Bend::Reply(|asked, reply| {
                if is_of_unknown_version(asked.message) && reply["result"].is_object() {
                    reply["result"]["protocolVersion"] = json!(OFFERED);
                }
            }),
        ]),
    },
    Fault {
        name: "version-agrees-to-anything",
        violates: "lifecycle/unknown-version-not-agreed",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_of_unknown_version(asked.message) && reply["result"].is_object() {
                reply["result"]["protocolVersion"] = version(asked.message).clone();
            }
        }),
    },
    Fault {
        name: "unknown-version-drops-connection",
        violates: "lifecycle/unknown-version-counter-offer",
        drags: &[],
        bend: Bend::Fatal(|asked| is_of_unknown_version(asked.message)),
    },
    Fault {
        name: "counter-offer-not-latest",
        violates: "lifecycle/counter-offer-latest",
        drags: &[],
        bend: Bend::Receive(|_, messages| {
            for message in messages.iter_mut().filter(|m| is_of_unknown_version(m)) {
                message["params"]["protocolVersion"] = json!("2024-11-05");
            }
        }),
    },
    Fault {
        name: "init-without-version-accepted",
        violates: "lifecycle/missing-version-refused",
        drags: &[],
        bend: Bend::Receive(|_, messages| {
            for message in messages.iter_mut().filter(|m| is_initialize(m)) {
                if version(message).is_null() && message["params"]["clientInfo"].is_object() {
                    message["params"]["protocolVersion"] = json!(Revision::NEWEST.as_str());
                }
            }
        }),
    },
    Fault {
        name: "init-invalid-wrong-code",
        violates: "lifecycle/invalid-initialize-code",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("initialize") && reply["error"]["code"] == -32602 {
                reply["error"]["code"] = json!(-32603);
            }
        }),
    },
    Fault {
        name: "bad-initialize-fatal",
        violates: "lifecycle/recovers-after-bad-initialize",
        drags: &[],
        bend: Bend::Fatal(|asked| {
            const BAD: &str = "who has sent a bad initialize";
            if !is_initialize(asked.message) {
                return false;
            }
            // Over HTTP each attempt is a session of its own.
            let (server, client) = (asked.scene.server, client(asked));
            let was_bad = server.has(BAD, &client);
            if asked.message["params"] == json!({}) {
                server.add(BAD, client);
            }
            was_bad
        }),
    },
    Fault {
        name: "unknown-client-capability-refused",
        violates: "lifecycle/unknown-capabilities-accepted",
        drags: &[],
        bend: Bend::Receive(|_, messages| {
            const KNOWN: &[&str] = &["roots", "sampling", "elicitation", "experimental", "tasks"];
            for message in messages.iter_mut().filter(|m| is_initialize(m)) {
                if has_others(&message["params"]["capabilities"], KNOWN) {
                    message["params"]["capabilities"] = Value::Null;
                }
            }
        }),
    },
    Fault {
        name: "extra-initialize-member-refused",
        violates: "lifecycle/unknown-init-members-tolerated",
        drags: &[],
        bend: Bend::Receive(|_, messages| {
            const KNOWN: &[&str] = &["protocolVersion", "capabilities", "clientInfo", "_meta"];
            for message in messages.iter_mut().filter(|m| is_initialize(m)) {
                if has_others(&message["params"], KNOWN) {
                    message["params"]["clientInfo"] = Value::Null;
                }
            }
        }),
    },
    Fault {
        name: "negotiated-version-global",
        violates: "lifecycle/sessions-keep-their-version",
        drags: &[],
        bend: Bend::Reply(mind_the_latest_version),
    },
    Fault {
        name: "dies-with-first-client",
        violates: "lifecycle/next-client-served",
        drags: &[],
        bend: Bend::Reply(serve_one_client_once),
    },
];

/// The version that is offered and not supported.
const OFFERED: &str = "2025-03-26";

fn is_initialize(message: &Value) -> bool {
    message["method"] == "initialize"
}

fn version(message: &Value) -> &Value {
    &message["params"]["protocolVersion"]
}

fn wants(message: &Value, wanted: &str) -> bool {
    is_initialize(message) && version(message) == wanted
}

fn is_of_unknown_version(message: &Value) -> bool {
    let is_unknown = |version: &str| Revision::parse(version).is_none();
    is_initialize(message) && version(message).as_str().is_some_and(is_unknown)
}

fn has_others(object: &Value, known: &[&str]) -> bool {
    let members = object.as_object();
    members.is_some_and(|members| members.keys().any(|name| !known.contains(&&**name)))
}

/// Who asks: clients are told apart by how they name their requests, in front of a number.
fn client(asked: &Asked<'_>) -> Value {
    let id = asked.id().as_str().unwrap_or_default();
    json!(id.rsplit_once('-').map_or(id, |(client, _)| client))
}

/// Holds all sessions of a client to the version that it has negotiated last.
fn mind_the_latest_version(asked: &Asked<'_>, reply: &mut Value) {
    let server = asked.scene.server;
    let latest = format!("the latest version of {}", client(asked));
    let negotiated = &reply["result"]["protocolVersion"];
    if is_initialize(asked.message) && negotiated.is_string() {
        server.keep(&latest, negotiated.clone());
        return;
    }
    let own = asked.scene.revision.map(Revision::as_str);
    let latest = server.recall(&latest);
    if asked.is_request() && latest.is_string() && latest.as_str() != own {
        *reply = asked.refusal(-32600, "that is not the negotiated version");
    }
}

/// Refuses a second session to a client whose first one is not known to be over.
fn serve_one_client_once(asked: &Asked<'_>, reply: &mut Value) {
    const SERVED: &str = "who has had a session";
    let (server, client) = (asked.scene.server, client(asked));
    // Clients that open several sessions on purpose are left alone.
    if asked.is("ping") && client == "next-client-served" {
        server.add(SERVED, client);
    } else if is_initialize(asked.message) && server.has(SERVED, &client) {
        *reply = asked.refusal(-32600, "the server is initialized already");
    }
}
