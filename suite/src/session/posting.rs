//! A message that was posted over HTTP, and what became of the post.

use std::{cell::RefCell, rc::Rc, time::Duration};

use tokio::sync::Notify;

use crate::tape::{Exchange, Message};

/// An HTTP error status in place of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The JSON-RPC message in the body, if it holds one.
    pub(crate) message: Option<Message>,
    pub(crate) at: Duration,
}

/// How a post ended.
#[derive(Clone, Debug)]
pub(crate) enum PostEnd {
    /// The answer was read to its end.
    Read(Rc<Exchange>),
    /// It was refused.
    Refused(Refusal),
    /// The connection failed before there was a status, or in the middle of the answer.
    Broke(String),
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Posting {
    end: RefCell<Option<PostEnd>>,
    ended: Notify,
}

impl Posting {
    /// Notes the end; only the first one counts.
    pub(crate) fn end(&self, end: PostEnd) {
        self.end.borrow_mut().get_or_insert(end);
        self.ended.notify_waiters();
    }

    /// Waits for the end.
    pub(crate) async fn ended(&self) -> PostEnd {
        loop {
            let ended = self.ended.notified();
            if let Some(end) = self.end.borrow().clone() {
                return end;
            }
            ended.await;
        }
    }
}
