//! Streams that the server lets go before the response has come, taken up again as a good client
//! does.

use std::{rc::Rc, time::Duration};

use tokio::time::{sleep, timeout};

use super::{PostEnd, Posting, Session};
use crate::{
    tape::{Close, Id},
    transport::Request,
};

/// So often a stream is taken up again.
const POLLS: usize = 10;
/// How long is waited before, if the server has not said …
const RETRY: Duration = Duration::from_secs(1);
/// … and at most, whatever it has said.
const LONGEST_RETRY: Duration = Duration::from_secs(10);

/// From where a stream goes on, and when it may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resumption {
    /// The last id that the stream has given.
    pub(crate) id: String,
    /// How long to wait before.
    pub(crate) after: Duration,
}

impl Posting {
    /// From where its event stream goes on; none if it has given no id.
    pub(crate) fn resumption(&self) -> Option<Resumption> {
        self.with_events(|events| {
            let id = events.last()?.last_id.to_string();
            let retry = events.iter().rev().find_map(|event| event.retry.as_ref());
            let given = retry.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            let after = given.map_or(RETRY, Duration::from_millis);
            (!id.is_empty()).then_some(Resumption {
                id,
                after: after.min(LONGEST_RETRY),
            })
        })
    }
}

impl Session {
    /// Takes up the stream of a post again for as long as its response is waited for, if it has
    /// ended in order and said from where it goes on.
    pub(super) async fn resume(self: &Rc<Self>, end: PostEnd, posting: &Posting) -> PostEnd {
        let PostEnd::Read(exchange) = &end else {
            return end;
        };
        let asked = exchange.request().and_then(|request| request.id.clone());
        let (Some(id), Some(Close::Ended)) = (asked, posting.close()) else {
            return end;
        };
        let mut next = posting.resumption();
        for _ in 0..POLLS {
            let Some(from) = next.filter(|_| self.with_state(|state| state.wants(&id))) else {
                break;
            };
            tokio::select! {
                () = sleep(from.after) => {}
                () = self.until(|state| !state.wants(&id)) => break,
            }
            let Some(poll) = self.poll(&from.id, &id).await else {
                break;
            };
            next = poll.resumption().or(Some(from));
        }
        end
    }

    /// One GET for what follows the event, read until the response has come or the stream ends;
    /// none if it is refused.
    async fn poll(self: &Rc<Self>, event: &str, id: &Id) -> Option<Rc<Posting>> {
        let url = self.endpoint_url()?;
        let mut headers = vec![("Accept".to_owned(), "text/event-stream".to_owned())];
        headers.extend(self.session_headers());
        headers.push(("Last-Event-ID".to_owned(), event.to_owned()));
        let request = Request {
            method: "GET",
            url,
            headers,
            body: None,
            raw: None,
        };
        let posting = Rc::new(Posting::default());
        let shown = Rc::clone(&posting);
        let mut end = std::pin::pin!(self.converse(request, Vec::new(), &shown));
        let end = tokio::select! {
            end = &mut end => Some(end),
            () = self.until(|state| !state.wants(id)) => {
                // The server ends it now; whoever does not has its connection closed.
                timeout(self.limits.quiet, end).await.ok()
            }
        };
        matches!(end, Some(PostEnd::Read(_))).then_some(posting)
    }
}
