//! An HTTP request that was sent, and what has come back so far.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use tokio::{sync::Notify, task::AbortHandle};

use crate::{
    tape::{Close, Exchange, Message, says_nothing, turns_away},
    transport::SseEvent,
};

/// So many events of one stream are kept …
const EVENTS: usize = 4096;
/// … and messages as well, of so many bytes together.
const KEPT: u64 = 16 * 1024 * 1024;
/// So much of a body is kept, in bytes.
const BODY: usize = 256 * 1024;

/// An HTTP error status in place of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The JSON-RPC message in the body, if it holds one.
    pub(crate) message: Option<Message>,
    pub(crate) at: Duration,
}

impl Refusal {
    /// Whether it is for want of credentials, or because the server is too busy: that says nothing
    /// about the message.
    pub(crate) fn turns_away(&self) -> bool {
        turns_away(self.status)
    }

    /// The same, or a status by which servers withhold leave with good reason and with none.
    pub(crate) fn says_nothing(&self) -> bool {
        says_nothing(self.status)
    }
}

/// How a request ended.
#[derive(Clone, Debug)]
pub(crate) enum PostEnd {
    /// The answer was read to its end.
    Read(Rc<Exchange>),
    /// It was refused.
    Refused(Refusal),
    /// The connection failed before there was a status, or in the middle of the answer.
    Broke(String),
}

/// Waits until a post is refused: forever if it is not, or there is none.
pub(super) async fn refusal(posting: Option<&Posting>) -> Refusal {
    match posting {
        Some(posting) => match posting.ended().await {
            PostEnd::Refused(refusal) => refusal,
            _ => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Posting {
    head: RefCell<Option<Rc<Exchange>>>,
    events: RefCell<Vec<SseEvent>>,
    messages: RefCell<Vec<Message>>,
    /// How many bytes the events and the messages have that were kept.
    kept: Cell<(u64, u64)>,
    body: RefCell<Vec<u8>>,
    close: Cell<Option<Close>>,
    end: RefCell<Option<PostEnd>>,
    task: RefCell<Option<AbortHandle>>,
    changed: Notify,
}

impl Posting {
    pub(super) fn begin(&self, task: AbortHandle) {
        *self.task.borrow_mut() = Some(task);
    }

    pub(super) fn headed(&self, exchange: &Rc<Exchange>) {
        *self.head.borrow_mut() = Some(Rc::clone(exchange));
        self.changed.notify_waiters();
    }

    pub(super) fn said(&self, message: &Message) {
        let mut messages = self.messages.borrow_mut();
        let (events, kept) = self.kept.get();
        if messages.len() < EVENTS && kept < KEPT {
            self.kept.set((events, kept + message.len()));
            messages.push(message.clone());
        }
        drop(messages);
        self.changed.notify_waiters();
    }

    pub(super) fn event(&self, event: &SseEvent) {
        let mut events = self.events.borrow_mut();
        let (kept, messages) = self.kept.get();
        if events.len() < EVENTS && kept < KEPT {
            self.kept.set((kept + event.len, messages));
            events.push(event.clone());
        }
        drop(events);
        self.changed.notify_waiters();
    }

    pub(super) fn bytes(&self, bytes: &[u8]) {
        let mut body = self.body.borrow_mut();
        let room = BODY.saturating_sub(body.len());
        body.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    pub(super) fn closed(&self, close: Close) {
        self.close.set(Some(close));
    }

    /// Notes the end; only the first one counts.
    pub(super) fn end(&self, end: PostEnd) {
        self.end.borrow_mut().get_or_insert(end);
        self.changed.notify_waiters();
    }

    /// Waits for the end.
    pub(crate) async fn ended(&self) -> PostEnd {
        self.until(|| self.end.borrow().clone()).await
    }

    /// How it has ended, if it has.
    pub(crate) fn is_over(&self) -> Option<PostEnd> {
        self.end.borrow().clone()
    }

    /// Waits for the head of the answer; an error tells why there is none.
    pub(crate) async fn head(&self) -> Result<Rc<Exchange>, String> {
        self.until(|| match (&*self.head.borrow(), &*self.end.borrow()) {
            (Some(head), _) => Some(Ok(Rc::clone(head))),
            (None, Some(PostEnd::Broke(reason))) => Some(Err(reason.clone())),
            (None, Some(_)) => Some(Err("there is no status".to_owned())),
            (None, None) => None,
        })
        .await
    }

    /// The head of the answer, if it has come.
    pub(crate) fn known_head(&self) -> Option<Rc<Exchange>> {
        self.head.borrow().clone()
    }

    /// Waits for a message for which this holds; none if the answer ends without it.
    pub(crate) async fn message(&self, wanted: impl Fn(&Message) -> bool) -> Option<Message> {
        self.until(|| {
            let messages = self.messages.borrow();
            let found = messages.iter().find(|message| wanted(message)).cloned();
            match found {
                Some(message) => Some(Some(message)),
                None => self.end.borrow().as_ref().map(|_| None),
            }
        })
        .await
    }

    /// Waits for an event for which this holds; none if the answer ends without it.
    pub(crate) async fn event_of(&self, wanted: impl Fn(&SseEvent) -> bool) -> Option<SseEvent> {
        self.until(|| {
            let events = self.events.borrow();
            let found = events.iter().find(|event| wanted(event)).cloned();
            match found {
                Some(event) => Some(Some(event)),
                None => self.end.borrow().as_ref().map(|_| None),
            }
        })
        .await
    }

    /// The messages that have come in it so far.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.messages.borrow().clone()
    }

    /// Waits for an event for which this holds; false if the answer ends without it.
    pub(crate) async fn has_event(&self, wanted: impl Fn(&SseEvent) -> bool) -> bool {
        self.until(|| {
            let found = self.events.borrow().iter().any(&wanted);
            match found {
                true => Some(true),
                false => self.end.borrow().as_ref().map(|_| false),
            }
        })
        .await
    }

    /// Looks at the events that have come in it so far, those without data too.
    pub(crate) fn with_events<T>(&self, look: impl FnOnce(&[SseEvent]) -> T) -> T {
        look(&self.events.borrow())
    }

    /// The first bytes of the body so far.
    pub(crate) fn body(&self) -> Vec<u8> {
        self.body.borrow().clone()
    }

    /// How its event stream has ended, if it has one that has.
    pub(crate) fn close(&self) -> Option<Close> {
        self.close.get()
    }

    /// Breaks the connection off from our side.
    pub(crate) fn disconnect(&self) {
        if let Some(task) = &*self.task.borrow() {
            task.abort();
        }
        if self
            .head
            .borrow()
            .as_ref()
            .is_some_and(|head| head.is_stream())
            && self.close.get().is_none()
        {
            self.close.set(Some(Close::Ours));
        }
        self.end(PostEnd::Broke("we closed the connection".to_owned()));
    }

    async fn until<T>(&self, ready: impl Fn() -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            if let Some(value) = ready() {
                return value;
            }
            changed.await;
        }
    }
}
