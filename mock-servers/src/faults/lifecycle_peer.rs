//! Faults in what the server asks the client for, and in how it waits for the answer.

use serde_json::{Value, json};

use super::held;
use crate::fault::{Bend, Fault};
use crate::message::notification;
use crate::outbox::Emitted;
use crate::scene::{Asked, Scene};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "future-method-in-old-session",
        violates: "lifecycle/methods-of-revision",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            let own = outgoing
                .iter()
                .position(|out| out.message["method"].is_string());
            if let Some(position) = own {
                // A client's, and so no server's in any revision.
                let message = notification("notifications/initialized", Value::Null);
                let relates_to = outgoing[position].relates_to.clone();
                outgoing.insert(
                    position,
                    Emitted {
                        message,
                        relates_to,
                    },
                );
            }
        }),
    },
    Fault {
        name: "blocks-on-unanswered-request",
        violates: "lifecycle/unanswered-request-does-not-block",
        drags: &[],
        bend: Bend::Several(&[
            Bend::Receive(|scene, messages| note_answers(scene, messages)),
            Bend::Reply(hold_while_waiting),
            Bend::Emit(note_questions),
        ]),
    },
    Fault {
        name: "no-timeout-on-own-requests",
        violates: "lifecycle/own-request-timeout",
        drags: &[],
        bend: Bend::Policy(|policy| policy.patience = None),
    },
    Fault {
        name: "timeout-without-cancel",
        violates: "lifecycle/timeout-sends-cancelled",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            outgoing.retain(|out| out.message["method"] != "notifications/cancelled");
        }),
    },
];

/// The request of the server's that is unanswered, or null.
const QUESTION: &str = "the unanswered question";

fn note_answers(scene: &Scene<'_>, messages: &[Value]) {
    let question = scene.memory.recall(QUESTION);
    let answers = |message: &Value| message.get("method").is_none() && message["id"] == question;
    if question.is_string() && messages.iter().any(answers) {
        scene.memory.keep(QUESTION, Value::Null);
    }
}

fn hold_while_waiting(asked: &Asked<'_>, reply: &mut Value) {
    if asked.is_request() && asked.scene.memory.recall(QUESTION).is_string() {
        held::hold(asked, reply);
    }
}

fn note_questions(scene: &Scene<'_>, outgoing: &mut Vec<Emitted>) {
    for Emitted { message, .. } in &*outgoing {
        if message["method"].is_string() && message["id"].is_string() {
            scene.memory.keep(QUESTION, message["id"].clone());
        } else if message["method"] == "notifications/cancelled" {
            scene.memory.keep(QUESTION, json!(null));
        }
    }
    if scene.memory.recall(QUESTION).is_null() {
        held::release(scene, outgoing);
    }
}
