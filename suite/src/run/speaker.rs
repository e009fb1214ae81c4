//! Who says a bare message, told by what it is: a method that only one side sends, the side whose
//! request it answers, the ids and tokens that each side has used.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::From::{self, Client, Server};
use crate::{
    spec::{
        methods::{METHODS, Side},
        schema::{judge_call, judge_result},
    },
    tape::{Asked, Id, Kind, Ledger, Message, Past, unwrapped},
};

/// So many requests that may be either side's are remembered.
const UNCLEAR: usize = 64;

/// Tells the speakers of one session.
#[derive(Default)]
pub(super) struct Speakers {
    /// The ids of requests that may be either side's.
    unclear: VecDeque<Id>,
}

impl Speakers {
    /// Who says the message; none where it may as well be either.
    pub(super) fn of(&mut self, message: &Message, past: &Past) -> Option<From> {
        if message.kind() == Kind::Response {
            return self.of_response(message, past);
        }
        let speaker = of_call(message, past);
        if let (None, Kind::Request, Some(id)) = (speaker, message.kind(), &message.id) {
            self.unclear.truncate(UNCLEAR - 1);
            self.unclear.push_front(id.clone());
        }
        speaker
    }

    fn of_response(&mut self, message: &Message, past: &Past) -> Option<From> {
        let (client, server) = (past.client.asked(message), past.server.asked(message));
        let is_open = |asked: Option<&Asked>| asked.is_some_and(|asked| asked.answers == 0);
        match (is_open(client), is_open(server)) {
            (true, true) => return by_looks(message, client?, server?, past),
            (true, false) => return Some(Server),
            (false, true) => return Some(Client),
            (false, false) => {}
        }
        let unclear = self
            .unclear
            .iter()
            .position(|id| Some(id) == message.id.as_ref());
        if let Some(at) = unclear {
            self.unclear.remove(at);
            return None;
        }
        match (client, server) {
            // A second answer.
            (Some(_), Some(_)) => None,
            (Some(_), None) => Some(Server),
            (None, Some(_)) => Some(Client),
            (None, None) if is_clients(message, past) => Some(Client),
            // No answer at all, but something odd.
            (None, None) if !message.has_result() && !message.has_error() => None,
            (None, None) => Some(Server),
        }
    }
}

/// Whether a response that belongs to no request that is known looks like the client's.
fn is_clients(message: &Message, past: &Past) -> bool {
    let of_server = ["sampling/createMessage", "roots/list", "elicitation/create"];
    let is_answer = |result: &Value| of_server.iter().any(|method| has_marks(method, result));
    let waits = |ledger: &Ledger| match &message.id {
        // Whoever cannot name what it answers was asked something.
        None | Some(Id::Null) => ledger.open() > 0,
        Some(id) => other_type(id).is_some_and(|id| ledger.get(&id).is_some()),
    };
    message.result().is_some_and(is_answer) || waits(&past.server) && !waits(&past.client)
}

/// Whose answer it is, where each side waits for one with that id.
fn by_looks(message: &Message, client: &Asked, server: &Asked, past: &Past) -> Option<From> {
    let result = message.result()?;
    let fits = |asked: &Asked| match &*asked.method {
        "ping" => is_bare(result),
        method if is_marked(method) => has_marks(method, result),
        method => {
            let params = asked.task.then(|| json!({ "task": {} }));
            judge_result(past.revision, method, params.as_ref(), result).is_ok()
        }
    };
    match (fits(client), fits(server)) {
        (true, false) => Some(Server),
        (false, true) => Some(Client),
        // What has the marks of one answer may be valid as many another.
        (true, true) => {
            (is_marked(&server.method) && client.method != server.method).then_some(Client)
        }
        (false, false) => None,
    }
}

fn is_bare(result: &Value) -> bool {
    result
        .as_object()
        .is_some_and(|members| members.keys().all(|key| key == "_meta"))
}

/// Whether only the server asks this, and the answer shows it.
fn is_marked(method: &str) -> bool {
    !marks(method).is_empty()
}

fn has_marks(method: &str, result: &Value) -> bool {
    let marks = marks(method);
    !marks.is_empty() && marks.iter().all(|mark| result.get(mark).is_some())
}

fn marks(method: &str) -> &'static [&'static str] {
    match method {
        "sampling/createMessage" => &["role", "model"],
        "roots/list" => &["roots"],
        "elicitation/create" => &["action"],
        _ => &[],
    }
}

/// Who says a request or a notification.
fn of_call(message: &Message, past: &Past) -> Option<From> {
    let method = message.method.as_deref().unwrap_or_default();
    match (is_sent(method, Side::Client), is_sent(method, Side::Server)) {
        (true, false) => return Some(Client),
        (false, true) => return Some(Server),
        _ => {}
    }
    let member = |name: &str| message.params().and_then(|params| params.get(name));
    match method {
        "notifications/cancelled" => Some(canceller(member("requestId").map(Id::of), past)),
        "notifications/progress" => reporter(member("progressToken").map(Id::of), past),
        "notifications/tasks/status" => {
            let is_servers = message
                .params()
                .is_some_and(|params| past.tasks.of(unwrapped(params)).is_some());
            let may_be_clients = past.server.iter().any(|(_, asked)| asked.task);
            Some(if is_servers || !may_be_clients {
                Server
            } else {
                Client
            })
        }
        _ if message.kind() == Kind::Request => {
            // Who asks for a task of the server's is not the server. What is wrong with a request
            // is not held against one that is its sender by the looks of an id alone.
            let task = message.params().and_then(|params| past.tasks.of(params));
            match task.is_some() || !is_sound(message, past) {
                true => Some(Client),
                false => asker(message.id.as_ref()?, past),
            }
        }
        _ => Some(Client),
    }
}

fn is_sound(request: &Message, past: &Past) -> bool {
    let fits = |value| judge_call(past.revision, value).is_ok();
    let method = request.method.as_deref().unwrap_or_default();
    let is_name = !method.is_empty() && !method.starts_with("rpc.");
    is_name && request.is_well_formed() && request.value().is_some_and(fits)
}

/// Whether `side` may send `method` in any revision.
pub(super) fn is_sent(method: &str, side: Side) -> bool {
    METHODS
        .iter()
        .any(|known| known.name == method && known.is_sent_by(side))
}

/// Who asks with this id: neither side uses one twice, and most count.
fn asker(id: &Id, past: &Past) -> Option<From> {
    let (client, server) = (&past.client, &past.server);
    match (client.get(id).is_some(), server.get(id).is_some()) {
        (true, false) if !past.malformed => return Some(Server),
        (false, false) => {}
        _ => return Some(Client),
    }
    match (comes_next(id, client), comes_next(id, server)) {
        (true, true) => None,
        (false, true) => Some(Server),
        (false, false) if is_like_last(id, server) && !is_like_last(id, client) => Some(Server),
        _ => Some(Client),
    }
}

/// Whether the id is the number behind the last one that a side has used.
fn comes_next(id: &Id, ledger: &Ledger) -> bool {
    let number = |id: &Id| match id {
        Id::Number(number) => number.parse::<i64>().ok(),
        _ => None,
    };
    let before = ledger.last().map_or(Some(-1), number);
    let next = before.and_then(|before| before.checked_add(1));
    next.is_some() && next == number(id)
}

/// Whether it is of the type of the last one that a side has used.
fn is_like_last(id: &Id, ledger: &Ledger) -> bool {
    let kind = std::mem::discriminant(id);
    ledger.last().map(std::mem::discriminant) == Some(kind)
}

/// Who cancels the request with this id: its own side.
fn canceller(id: Option<Id>, past: &Past) -> From {
    let asked = |ledger: &Ledger| {
        let asked = ledger.get(id.as_ref()?)?;
        Some(asked.answers == 0)
    };
    match (asked(&past.client), asked(&past.server)) {
        (None | Some(false), Some(true)) | (None, Some(false)) => Server,
        _ => Client,
    }
}

/// Who reports under this token: the side that it was given to.
fn reporter(token: Option<Id>, past: &Past) -> Option<From> {
    let Some(token) = token else {
        return Some(Server);
    };
    let given = past.reports.get(&token).map(|report| {
        let asked = past.client.get(&report.request);
        asked.is_some_and(|asked| asked.answers == 0)
    });
    match (given, asked_under(&token, past)) {
        (Some(true), Some(false)) | (Some(_), None) => Some(Server),
        (Some(false), Some(true)) | (None, Some(_)) => Some(Client),
        (Some(_), Some(_)) => None,
        (None, None) => {
            let other = other_type(&token).and_then(|token| asked_under(&token, past));
            match (other, past.reports.has_other_type(&token)) {
                (Some(_), true) => None,
                (Some(_), false) => Some(Client),
                (None, _) => Some(Server),
            }
        }
    }
}

/// Whether a request of the server that gave this token is unanswered; none if none gave it.
fn asked_under(token: &Id, past: &Past) -> Option<bool> {
    let requests = past.server.iter().map(|(_, asked)| asked);
    requests
        .filter(|asked| asked.progress_token.as_ref() == Some(token))
        .map(|asked| asked.answers == 0)
        .max()
}

/// The same text as a string, or the same number as a number.
fn other_type(id: &Id) -> Option<Id> {
    match id {
        Id::Text(text) => Some(Id::Number(text.clone())),
        Id::Number(text) => Some(Id::Text(text.clone())),
        Id::Null | Id::Other(_) => None,
    }
}
