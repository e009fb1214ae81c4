//! Whether sessions can stand side by side at all. Cases have sessions of their own; where a server
//! has one transport for all its clients, one clause is broken, and the rest is not to be seen.

use std::rc::Rc;

use serde_json::json;
use tokio::time::timeout;

use super::{Broken, How, Newline, OpenFailure, Posting, Session};
use crate::{
    tape::{Excerpt, Exchange, turns_away},
    transport::Request,
};

/// What a second session does to the first one.
#[derive(Clone, Debug, Default)]
pub(crate) enum Neighbours {
    /// Nothing, as far as could be seen.
    #[default]
    Apart,
    /// It is refused while the first one stands.
    Refused,
    /// It takes the place of the first one.
    Replaces,
    /// It is the first one once more: both have one id.
    Same,
    /// Its end ends the first one: this was said.
    EndTogether(Vec<Excerpt>),
}

impl Neighbours {
    /// Why sessions beside the first one show nothing, if they do not.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        match self {
            Neighbours::Apart | Neighbours::EndTogether(_) => None,
            Neighbours::Refused => Some(
                "a second session is refused while a first one is open, see \
                 streamable-http/several-sessions",
            ),
            Neighbours::Replaces => {
                Some("a second session ends the first one, see streamable-http/several-sessions")
            }
            Neighbours::Same => {
                Some("two sessions have the same id, see streamable-http/session-id-unique")
            }
        }
    }

    /// Opens a second session beside the first one and deletes it again; both have session ids.
    pub(crate) async fn of(first: &Rc<Session>, second: &Rc<Session>) -> Neighbours {
        if first.sentinel().await.is_err() {
            return Neighbours::Apart;
        }
        let opened = second.handshake(Newline::Lf, second.limits.answer).await;
        let neighbours = match opened {
            // It is too busy, or wants credentials after all.
            Err(OpenFailure::Status(status, _)) if status == 403 || turns_away(status) => {
                Neighbours::Apart
            }
            Err(OpenFailure::Status(..) | OpenFailure::Refused(_)) => Neighbours::Refused,
            Err(_) => Neighbours::Apart,
            Ok(()) if second.session_id() == first.session_id() => Neighbours::Same,
            Ok(()) => match first.sentinel().await {
                Err(Broken::Refused {
                    status: 400 | 404, ..
                }) => Neighbours::Replaces,
                _ => deleted(first, second).await,
            },
        };
        second.end(How::Quickly).await;
        neighbours
    }
}

/// Deletes the second session and pings in the first one.
async fn deleted(first: &Rc<Session>, second: &Rc<Session>) -> Neighbours {
    let (Some(url), Some(_)) = (second.endpoint_url(), second.session_id()) else {
        return Neighbours::Apart;
    };
    let delete = Request {
        method: "DELETE",
        url,
        headers: second.session_headers(),
        body: None,
        raw: None,
    };
    let mut said = vec![Excerpt::of_request(second.now(), &delete)];
    match head(second, &second.exchange(delete)).await {
        Some(head) if (200..300).contains(&head.status) => {
            second.forget_session_id();
            said.push(Excerpt::of_exchange(second.now(), &head));
        }
        _ => return Neighbours::Apart,
    }
    let ping = json!({ "jsonrpc": "2.0", "id": first.fresh_id("sentinel"), "method": "ping" });
    let text = ping.to_string();
    said.push(Excerpt::new(first.outward(), first.now(), text.as_bytes()));
    let Ok(Some(posting)) = first.post(text.as_bytes()).await else {
        return Neighbours::Apart;
    };
    match head(first, &posting).await {
        Some(head) if matches!(head.status, 400 | 404) => {
            said.push(Excerpt::of_exchange(first.now(), &head));
            Neighbours::EndTogether(said)
        }
        _ => Neighbours::Apart,
    }
}

async fn head(session: &Session, posting: &Posting) -> Option<Rc<Exchange>> {
    let head = timeout(session.limits.answer, posting.head()).await;
    head.ok()?.ok()
}
