//! Faults in event ids, and in what comes back by them.

use axum::http::{Method, StatusCode};

use super::http_methods::not_allowed;
use super::http_streams::LIST;
use crate::fault::{Bend, Fault};
use crate::http::{Disconnection, HttpBend, Incoming, Replay};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "http-event-ids-restart",
        violates: "streamable-http/event-ids-unique",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Event(|told, bytes| {
            if told.is_result_of(LIST)
                && let Some(end) = bytes.iter().position(|byte| *byte == b'\n')
            {
                bytes.splice(..end, *b"id: 1");
            }
        })]),
    },
    Fault {
        name: "http-replays-other-stream",
        violates: "streamable-http/replay-own-stream-only",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| {
            policy.replay = Replay::LaterStreams;
        })]),
    },
    Fault {
        name: "http-replay-crosses-sessions",
        violates: "streamable-http/replay-own-session-only",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| {
            policy.replay = Replay::AnySession;
        })]),
    },
    Fault {
        name: "http-replays-acknowledged",
        violates: "streamable-http/replay-after-cursor",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| {
            policy.replay = Replay::From;
        })]),
    },
    Fault {
        name: "http-ids-without-get",
        violates: "streamable-http/resume-by-get",
        drags: &[(
            "streamable-http/sse-polling-completes",
            "where no GET takes an id, nobody can come back to a stream that was let go",
        )],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            resumes(incoming).then(|| not_allowed("POST, DELETE"))
        })]),
    },
    Fault {
        name: "http-500-on-unknown-last-event-id",
        violates: "streamable-http/unknown-last-event-id",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|incoming, reply| {
            if resumes(incoming) && reply.status() == StatusCode::BAD_REQUEST {
                *reply.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            }
        })]),
    },
    Fault {
        name: "http-disconnect-cancels",
        violates: "streamable-http/disconnect-is-not-cancel",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| {
            policy.disconnection = Disconnection::Otherwise;
        })]),
    },
];

fn resumes(incoming: &Incoming) -> bool {
    incoming.method == Method::GET && incoming.headers.contains_key("last-event-id")
}
