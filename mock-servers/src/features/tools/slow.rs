//! Tools that report progress.

use std::time::Duration;

use serde_json::json;

use super::{Call, says};
use crate::message;
use crate::revision::Revision;
use crate::session::Answer;

/// A little over a second, since only what takes a second counts as slow.
const DEFAULT_MS: u64 = 1050;
const DEFAULT_STEPS: u64 = 5;

pub(super) fn slow(call: Call) -> Answer {
    Answer::later(async move {
        let steps = call.integer("steps", DEFAULT_STEPS).max(1);
        let total = Duration::from_millis(call.integer("duration_ms", DEFAULT_MS));
        let start = tokio::time::Instant::now();
        for step in 1..=steps {
            let share = u32::try_from(step).unwrap_or(u32::MAX);
            let whole = u32::try_from(steps).unwrap_or(u32::MAX);
            tokio::time::sleep_until(start + total * share / whole).await;
            call.report(step, steps, &format!("step {step}"));
        }
        Ok(says(&format!("done in {steps} steps")))
    })
}

pub(super) fn progress(call: Call) -> Answer {
    for step in [0, 50, 100] {
        call.report(step, 100, &format!("{step} of 100"));
    }
    Answer::Now(Ok(says("done")))
}

impl Call {
    /// Tells how far the call is, if the client wants to know.
    pub(super) fn report(&self, progress: u64, total: u64, message: &str) {
        let Some(token) = &self.progress_token else {
            return;
        };
        let mut params = json!({ "progressToken": token, "progress": progress, "total": total });
        if self.revision >= Revision::V2025_03_26 {
            params["message"] = json!(message);
        }
        let message = message::notification("notifications/progress", params);
        self.session.tell(&self.cause, message);
    }
}
