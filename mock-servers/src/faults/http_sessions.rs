//! Faults in the ids of sessions, and in how sessions end.

use axum::http::{HeaderValue, Method, StatusCode};

use super::http_streams::is_response;
use crate::fault::{Bend, Fault};
use crate::http::reply::{self, Reply};
use crate::http::{Delete, EventBody, HttpBend, Incoming, Scene, Step, UnknownSession, random_id};

const SESSION: &str = "mcp-session-id";

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "http-initialize-needs-session",
        violates: "streamable-http/initialize-without-session",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            let is_first = initializes(incoming) && !names_session(incoming);
            is_first.then(|| reply::refusal(StatusCode::BAD_REQUEST, "Mcp-Session-Id is missing"))
        })]),
    },
    Fault {
        name: "http-session-id-space",
        violates: "streamable-http/session-id-visible-ascii",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| {
            policy.session_id = |_| Ok(format!("session {}", random_id()?));
        })]),
    },
    Fault {
        name: "http-session-id-constant",
        violates: "streamable-http/session-id-unique",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| {
            policy.session_id = |_| Ok("5e55104f5e55104f5e55104f5e55104f".to_owned());
        })]),
    },
    Fault {
        name: "http-session-id-sequential",
        violates: "streamable-http/session-id-unpredictable",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| {
            policy.session_id = |number| Ok(format!("session-{number:08}"));
        })]),
    },
    Fault {
        name: "http-session-id-rotates",
        violates: "streamable-http/session-id-stable",
        drags: &[(
            "lifecycle/repeated-initialize-harmless",
            "a client takes the id that comes with a result of `initialize`, and it leads nowhere",
        )],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|incoming, reply| {
            let next = incoming.header(SESSION).map(|id| format!("{id}-next"));
            if let Some(Ok(next)) = next.as_deref().map(HeaderValue::from_str)
                && reply.status().is_success()
            {
                reply.headers_mut().insert(SESSION, next);
            }
        })]),
    },
    Fault {
        name: "http-missing-session-404",
        violates: "streamable-http/session-required-400",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|incoming, reply| {
            let asks = incoming.message().get("id").is_some();
            if asks && !names_session(incoming) && reply.status() == StatusCode::BAD_REQUEST {
                *reply.status_mut() = StatusCode::NOT_FOUND;
            }
        })]),
    },
    Fault {
        name: "http-accepts-unknown-session",
        violates: "streamable-http/session-unknown-refused",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| {
            policy.unknown_session = UnknownSession::Resembling(8);
        })]),
    },
    Fault {
        name: "http-terminated-session-400",
        violates: "streamable-http/session-terminated-404",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|incoming, reply| {
            if is_gone(&Method::POST, incoming, reply) {
                *reply.status_mut() = StatusCode::BAD_REQUEST;
            }
        })]),
    },
    Fault {
        name: "http-terminated-session-get-opens",
        violates: "streamable-http/session-terminated-404-get",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|incoming, reply| {
            if is_gone(&Method::GET, incoming, reply) {
                *reply = reply::stream(EventBody::idle());
            }
        })]),
    },
    Fault {
        name: "http-second-delete-200",
        violates: "streamable-http/session-terminated-404-delete",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|incoming, reply| {
            if is_gone(&Method::DELETE, incoming, reply) {
                *reply = reply::empty(StatusCode::OK);
            }
        })]),
    },
    Fault {
        name: "http-delete-500",
        violates: "streamable-http/delete-2xx-or-405",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            let deletes = incoming.method == Method::DELETE && names_session(incoming);
            deletes.then(|| reply::refusal(status, "something went wrong"))
        })]),
    },
    Fault {
        name: "http-delete-leaves-stream-open",
        violates: "streamable-http/delete-ends-streams",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| {
            policy.delete = Delete::SessionWithoutStreams;
        })]),
    },
    Fault {
        name: "http-delete-ends-all-sessions",
        violates: "streamable-http/delete-is-per-session",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| {
            policy.delete = Delete::EverySession;
        })]),
    },
    Fault {
        name: "http-single-session",
        violates: "streamable-http/several-sessions",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| policy.most_sessions = 1)]),
    },
    Fault {
        name: "http-sessions-share-ids",
        violates: "streamable-http/session-isolation",
        drags: &[(
            "utilities/ping-empty-result",
            "a ping is answered with what another session asked for",
        )],
        bend: Bend::StreamableHttp(&[HttpBend::Steps(|scene, steps| {
            answer_as_elsewhere(scene, steps);
        })]),
    },
    Fault {
        name: "http-session-header-case",
        violates: "streamable-http/session-header-name-case",
        drags: &[],
        // Clients that write in lower case, or as the older revisions do, are served.
        bend: Bend::StreamableHttp(&[HttpBend::Wire(|bytes| misspell(bytes, b"MCP-Session-Id:"))]),
    },
];

pub(super) fn initializes(incoming: &Incoming) -> bool {
    incoming.message()["method"] == "initialize"
}

/// Misspells the name of a header where it is written in just this way.
pub(super) fn misspell(bytes: &mut [u8], name: &[u8]) {
    let place = bytes.windows(name.len()).position(|window| window == name);
    if let Some(place) = place {
        bytes[place] = b'X';
    }
}

fn names_session(incoming: &Incoming) -> bool {
    incoming.headers.contains_key(SESSION)
}

/// Whether a request is told that its session does not exist.
fn is_gone(method: &Method, incoming: &Incoming, reply: &Reply) -> bool {
    incoming.method == *method && names_session(incoming) && reply.status() == StatusCode::NOT_FOUND
}

/// Answers a ping with what another session asked under the same id, where both listen.
fn answer_as_elsewhere(scene: &Scene<'_>, steps: &mut [Step]) {
    let Some(twin) = scene.twin else { return };
    let listen = scene.standalone_open && twin.standalone_open;
    if !listen || !scene.asks("ping") || twin.method == "ping" {
        return;
    }
    for step in steps.iter_mut().filter(|step| is_response(step)) {
        if let Step::Say(_, response) = step {
            *response = twin.response.clone();
        }
    }
}
