//! Replies that a fault keeps back until something has happened.

use serde_json::Value;

use crate::outbox::Emitted;
use crate::scene::{Asked, Scene};

const HELD: &str = "replies that are held back";

/// Keeps a reply back.
pub(super) fn hold(asked: &Asked<'_>, reply: &mut Value) {
    if !reply.is_null() {
        asked.scene.memory.add(HELD, reply.take());
    }
}

/// Sends what is held back behind the rest, each as the answer that it is.
pub(super) fn release(scene: &Scene<'_>, outgoing: &mut Vec<Emitted>) {
    let held = scene.memory.take(HELD).into_iter();
    outgoing.extend(held.map(|message| {
        let relates_to = message.get("id").cloned();
        Emitted {
            message,
            relates_to,
        }
    }));
}
