//! How the streams go on that answer requests, to their end and, where the server lets one go, on
//! the streams of a client that comes back.

use std::{rc::Rc, time::Duration};

use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use super::prelude::*;

/// So often a client comes back to one stream.
const POLLS: usize = 10;
/// The time that a server has to end a stream behind its response.
pub(super) const TO_CLOSE: Duration = Duration::from_secs(2);
/// The tool of the official suite that lets its connection go.
const RECONNECTION: &str = "test_reconnection";

/// Requests that were posted one after the other, and the streams that answered them.
pub(super) struct Streams {
    pub(super) courses: Vec<Course>,
    /// Whether the session was still served behind them.
    pub(super) valid: bool,
}

/// The stream that answered one request.
pub(super) struct Course {
    pub(super) method: &'static str,
    /// Whether the request is H or L, which take no time.
    pub(super) quick: bool,
    pub(super) answered: bool,
    /// How the connection of the post has ended; none if it was still open.
    pub(super) close: Option<Close>,
    pub(super) gave_id: bool,
    pub(super) gave_retry: bool,
    pub(super) polled: Polled,
    /// Whether it was open long after its response.
    pub(super) left_open: bool,
    /// What was lost on it on account of another clause.
    pub(super) lost: Option<Stop>,
}

/// What came of coming back to a stream that was let go.
#[derive(PartialEq, Eq)]
pub(super) enum Polled {
    NotAtAll,
    Answered,
    Refused(u16),
    /// The response did not come.
    InVain(&'static str),
}

impl Course {
    /// Whether the server ended it in order without the response.
    pub(super) fn is_early(&self) -> bool {
        self.close == Some(Close::Ended) && !self.answered
    }
}

impl Streams {
    /// The courses, if there is one.
    pub(super) fn needed(&self) -> Result<&[Course], Stop> {
        match self.courses.as_slice() {
            [] => not_applicable("no request is answered by a stream"),
            courses => Ok(courses),
        }
    }
}

impl Scene for Streams {
    async fn play(s: &Talk) -> Result<Streams, Stop> {
        let mut courses = Vec::new();
        let mut postings = Vec::new();
        let mut requests = vec![("ping", json!({}))];
        requests.extend(s.list_method().map(|list| (list, json!({}))));
        if let Ok(Some(call)) = s.permitted(RECONNECTION).await {
            requests.push(("tools/call", call.params()));
        }
        for (method, params) in requests {
            let (_, mut message) = request(s, method);
            message["params"] = params;
            let posting = s.dispatch(s.post(&message)?);
            s.response_in(&posting).await;
            if let Some(course) = course(s, method, &posting).await? {
                courses.push(course);
                postings.push(posting);
            }
        }
        let (id, ping) = request(s, "ping");
        let again = post(s, s.post(&ping)?).await?;
        let ends = postings
            .iter()
            .map(|posting| timeout(TO_CLOSE, posting.ended()));
        let ends = join_all(ends).await;
        for ((course, posting), end) in courses.iter_mut().zip(&postings).zip(ends) {
            course.left_open = end.is_err() && course.answered;
            posting.disconnect();
        }
        // What does the same again shows that the session is as it was.
        let same = again.head.is_ok_and(|head| head.status < 300);
        let valid = again.response.is_some_and(|r| r.id == Some(Id::Text(id))) || same;
        Ok(Streams { courses, valid })
    }
}

/// How the stream went on that answers a request; none if it is no stream.
async fn course(
    s: &Talk,
    method: &'static str,
    posting: &Rc<Posting>,
) -> Result<Option<Course>, Stop> {
    if !posting
        .known_head()
        .is_some_and(|head| head.is_stream() && head.status < 300)
    {
        return Ok(None);
    }
    let is_response = |message: &Message| message.kind() == Kind::Response;
    let answered = posting.messages().iter().any(is_response);
    let mut course = Course {
        method,
        quick: method != "tools/call",
        answered,
        close: posting.close(),
        gave_id: posting.resumption().is_some(),
        gave_retry: posting.with_events(|all| all.iter().any(|event| event.retry.is_some())),
        polled: Polled::NotAtAll,
        left_open: false,
        lost: None,
    };
    if !answered {
        course.lost = s.blame_damage().err();
    }
    if course.is_early() {
        course.polled = poll(s, posting).await?;
    }
    Ok(Some(course))
}

/// Comes back to a stream until its response has come.
async fn poll(s: &Talk, posting: &Posting) -> Result<Polled, Stop> {
    let mut next = posting.resumption();
    let mut polled = Polled::NotAtAll;
    for _ in 0..POLLS {
        let Some(from) = next else {
            break;
        };
        sleep(from.after).await;
        let draft = s.get()?.header("Last-Event-ID", &from.id);
        let (get, head) = s.exchange_http(draft).await?;
        match head {
            Ok(head) if head.status >= 300 => return Ok(Polled::Refused(head.status)),
            Err(_) => return Ok(Polled::InVain("a GET gets no answer")),
            Ok(_) => {}
        }
        let came = s.response_in(&get).await.is_some();
        let open = get.is_over().is_none();
        get.disconnect();
        if came {
            return Ok(Polled::Answered);
        }
        if open {
            return Ok(Polled::InVain("the stream stays open without it"));
        }
        polled = Polled::InVain("every stream ends without it");
        next = get.resumption().or(Some(from));
    }
    Ok(polled)
}
