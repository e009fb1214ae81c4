//! Faults in what the server asks the client for, and in how it waits for the answer.

use std::time::Duration;

use serde_json::Value;

use crate::fault::{Bend, Fault};
use crate::message::notification;
use crate::outbox::Emitted;

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
        drags: &[(
            "lifecycle/own-request-timeout",
            "a server that gave up soon would go on soon, and nobody would see that it blocks",
        )],
        bend: Bend::Several(&[
            Bend::Hold(|asked| asked.is_request() && asked.scene.owed),
            Bend::Policy(|policy| policy.patience = Some(Duration::from_secs(30))),
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
