//! What the files of this area need: single posts, what became of them, and what gates a case.

use std::{fmt, rc::Rc};

pub(super) use crate::{
    case::left_to_rule,
    cases::prelude::*,
    session::{PostEnd, Posting},
    talk::Draft,
    tape::{Close, Exchange, is_of_task, is_recognisable, read_value, token_of_report},
    transport::{SseEvent, SseFlawKind, SseFound},
};

/// What became of a request that was posted.
pub(super) struct Posted {
    pub(super) posting: Rc<Posting>,
    /// The head of the answer, or why there is none.
    pub(super) head: Result<Rc<Exchange>, String>,
    pub(super) response: Option<Message>,
}

impl Posted {
    /// The status, if there is one.
    pub(super) fn status(&self) -> Option<u16> {
        self.head.as_ref().ok().map(|head| head.status)
    }

    /// Whether it was turned away, with a status or without one.
    pub(super) fn is_refused(&self) -> bool {
        self.status().is_none_or(|status| status >= 400)
    }

    /// Whether the response is a result for this id.
    pub(super) fn serves(&self, id: &str) -> bool {
        !self.is_refused()
            && self.response.as_ref().is_some_and(|response| {
                response.has_result() && response.id == Some(Id::Text(id.to_owned()))
            })
    }
}

/// To stand behind the name of what was posted.
impl fmt::Display for Posted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.head, &self.response) {
            (Err(reason), _) => write!(f, "gets no answer: {reason}"),
            (Ok(head), _) if head.status >= 400 => {
                write!(f, "is refused with HTTP status {}", head.status)
            }
            (Ok(_), Some(response)) if response.has_error() => {
                f.write_str("is answered with an error")
            }
            (Ok(_), Some(_)) => f.write_str("is answered with a result"),
            (Ok(head), None) => write!(f, "gets HTTP status {} and no response", head.status),
        }
    }
}

/// Sends a draft and waits for the response in its answer.
pub(super) async fn post(s: &Talk, draft: Draft) -> Result<Posted, Stop> {
    let (posting, head) = s.exchange_http(draft).await?;
    let response = match &head {
        Ok(_) => s.response_in(&posting).await,
        Err(_) => None,
    };
    Ok(Posted {
        posting,
        head,
        response,
    })
}

/// A request with a fresh id, and that id.
pub(super) fn request(s: &Talk, method: &str) -> (String, Value) {
    let id = s.fresh_id();
    let message = json!({ "jsonrpc": "2.0", "id": id, "method": method });
    (id, message)
}

/// H with its head changed, and whether it was served. Silence alone may be a busy machine's: it is
/// asked for once more.
pub(super) async fn ping_with(
    s: &Talk,
    change: impl Fn(Draft) -> Draft,
) -> Result<(Posted, bool), Stop> {
    let (mut posted, mut serves) = ping_once(s, &change).await?;
    if posted.head.is_err() {
        (posted, serves) = ping_once(s, &change).await?;
    }
    if !serves {
        s.blame_damage()?;
    }
    Ok((posted, serves))
}

async fn ping_once(s: &Talk, change: impl Fn(Draft) -> Draft) -> Result<(Posted, bool), Stop> {
    let (id, ping) = request(s, "ping");
    let posted = post(s, change(s.post(&ping)?)).await?;
    let serves = posted.serves(&id);
    Ok((posted, serves))
}

/// The control: H in its plain form has to be served for its other forms to prove anything.
pub(super) async fn plain(s: &Talk) -> Result<(), Stop> {
    let (posted, serves) = ping_with(s, |draft| draft).await?;
    match serves {
        true => Ok(()),
        false => unverified(format!("`ping` in its plain form {posted} as well")),
    }
}

/// Whether the session has a stream that was opened by GET, as far as the case speaks of it.
pub(super) async fn needs_get_stream(s: &Talk) -> Result<(), Stop> {
    let Some(standing) = s.standing() else {
        return unverified("no stream was opened by GET");
    };
    match tokio::time::timeout(s.answer_limit(), standing.head()).await {
        Ok(Ok(head)) if head.is_standing() && head.status < 300 => Ok(()),
        Ok(Ok(head)) => not_applicable(format!(
            "the server offers no stream: GET gets HTTP status {}",
            head.status
        )),
        _ => unverified(
            "GET gets no answer, see streamable-http/get-headers-prompt and \
             streamable-http/get-leaves-post-working",
        ),
    }
}

/// Whether requests are answered by streams, as far as the case speaks of it: H and L are posted
/// to see.
pub(super) async fn needs_streams(s: &Talk) -> Result<(), Stop> {
    s.ask("ping", Value::Null).await?;
    if let Some(list) = s.list_method() {
        s.ask(list, Value::Null).await?;
    }
    match s.has_streamed() {
        true => Ok(()),
        false => not_applicable("no request is answered by a stream"),
    }
}

/// The answer of an exchange, as evidence: its head and the first bytes of its body.
pub(super) fn answer_of(exchange: &Exchange, body: &[u8], past: &Past) -> Vec<Excerpt> {
    let head = Excerpt::of_exchange(past.now, exchange);
    if body.is_empty() {
        return vec![head];
    }
    let body = Excerpt::new(crate::tape::Stream::Response, past.now, body);
    vec![head, body]
}

/// What was found in a stream, as evidence.
pub(super) fn lines_of(lines: &[u8], past: &Past) -> Vec<Excerpt> {
    vec![Excerpt::new(crate::tape::Stream::Response, past.now, lines)]
}
