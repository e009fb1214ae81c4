use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use serde_json::Value;

use super::{Ledger, Recent};
use crate::tape::{Id, Message};

/// So many tokens are remembered.
const TOKENS: usize = 1024;
/// So many progress notifications for one token in a second are a flood.
const FLOOD: usize = 100;
/// The window in which they are counted.
const SECOND: Duration = Duration::from_secs(1);

/// The progress tokens of one session, and what the server reported for them.
#[derive(Debug, Default)]
pub struct Reports {
    entries: HashMap<Id, Report>,
    order: VecDeque<Id>,
    /// Whether some were forgotten, or never seen: then an unknown token proves nothing.
    pub forgotten: bool,
    /// Whether the client gave a token that is neither a string nor an integer: the server may
    /// make of it what it likes.
    pub odd: bool,
    /// For how many tokens the value went down.
    pub fallen: usize,
    /// For how many tokens something came behind the response.
    pub late: usize,
    /// For how many tokens there was a flood.
    pub floods: usize,
}

/// One progress token that the client gave.
#[derive(Clone, Debug)]
pub struct Report {
    /// The request that it was given in.
    pub request: Id,
    /// How many notifications have come for it.
    pub count: u64,
    /// The last value that was a number, and the exchange whose stream brought it.
    pub last: Option<(Value, Option<u32>)>,
    recent: Recent,
    /// Whether the value has gone down.
    pub fell: bool,
    /// Whether something came behind the response.
    pub came_late: bool,
    /// Whether there was a flood.
    pub flooded: bool,
}

impl Report {
    /// Whether one more notification now makes a flood.
    pub fn floods(&self, now: Duration) -> bool {
        self.recent
            .within(SECOND, now)
            .is_some_and(|others| others >= FLOOD)
    }

    /// The value before this notification, if both came on one stream.
    pub fn before(&self, notification: &Message) -> Option<&Value> {
        let (last, stream) = self.last.as_ref()?;
        (*stream == stream_of(notification)).then_some(last)
    }
}

/// How a progress value stands to the one before it; none if the two cannot be compared.
pub fn compared(value: &Value, before: &Value) -> Option<std::cmp::Ordering> {
    let exact = |value: &Value| {
        let signed = value.as_i64().map(i128::from);
        signed.or_else(|| value.as_u64().map(i128::from))
    };
    if let (Some(value), Some(before)) = (exact(value), exact(before)) {
        return Some(value.cmp(&before));
    }
    let (value, before) = (value.as_f64()?, before.as_f64()?);
    // Beyond that two numbers may look equal which are not.
    if value.abs().max(before.abs()) >= 2f64.powi(53) {
        return None;
    }
    value.partial_cmp(&before)
}

/// Whether a progress notification comes behind the response to its request, on the same stream.
/// What a task reports, and what is reported of a request that was cancelled, is no such thing.
pub fn comes_late(notification: &Message, report: &Report, client: &Ledger) -> bool {
    client.get(&report.request).is_some_and(|asked| {
        asked.answers > 0
            && !asked.task
            && !asked.cancelled
            && asked.answered_on == stream_of(notification)
    })
}

fn stream_of(message: &Message) -> Option<u32> {
    message.exchange.as_ref().map(|exchange| exchange.number)
}

impl Reports {
    /// What was reported for this very token.
    pub fn get(&self, token: &Id) -> Option<&Report> {
        self.entries.get(token)
    }

    /// Whether the client gave the same text as a string, or the same number as a number.
    pub fn has_other_type(&self, token: &Id) -> bool {
        let other = match token {
            Id::Text(text) => Id::Number(text.clone()),
            Id::Number(text) => Id::Text(text.clone()),
            Id::Null | Id::Other(_) => return false,
        };
        self.entries.contains_key(&other)
    }

    /// The client gives a token.
    pub(super) fn give(&mut self, token: &Id, request: &Id) {
        let is_integer = |text: &str| {
            text.bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_digit())
        };
        self.odd |= match token {
            Id::Text(_) => false,
            Id::Number(text) => !is_integer(text),
            Id::Null | Id::Other(_) => true,
        };
        let report = Report {
            request: request.clone(),
            count: 0,
            last: None,
            recent: Recent::default(),
            fell: false,
            came_late: false,
            flooded: false,
        };
        // A token that is given again begins anew.
        if self.entries.insert(token.clone(), report).is_none() {
            self.order.push_back(token.clone());
        }
        if self.order.len() > TOKENS
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
            self.forgotten = true;
        }
    }

    /// The server reports.
    pub(super) fn heard(&mut self, notification: &Message, client: &Ledger, now: Duration) {
        let Some(params) = notification.params() else {
            return;
        };
        let token = params.get("progressToken").map(Id::of);
        let Some(report) = token.and_then(|token| self.entries.get_mut(&token)) else {
            return;
        };
        let value = params.get("progress").filter(|value| value.is_number());
        let before = report.before(notification);
        let falls = value.zip(before).is_some_and(|(value, before)| {
            compared(value, before) == Some(std::cmp::Ordering::Less)
        });
        let (late, floods) = (comes_late(notification, report, client), report.floods(now));
        self.fallen += usize::from(falls && !report.fell);
        self.late += usize::from(late && !report.came_late);
        self.floods += usize::from(floods && !report.flooded);
        report.fell |= falls;
        report.came_late |= late;
        report.flooded |= floods;
        report.count += 1;
        report.recent.note(now, FLOOD);
        if let Some(value) = value {
            report.last = Some((value.clone(), stream_of(notification)));
        }
    }
}
