use std::{
    collections::{HashMap, VecDeque},
    rc::Rc,
    time::Duration,
};

use serde_json::Value;

use crate::tape::{Id, Message};

/// So many requests of one side are remembered.
const KEPT: usize = 4096;

/// A request that went one way, and what has become of it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its method; empty if that is no string.
    pub method: Rc<str>,
    /// When it was said, counted from the start of the run.
    pub at: Duration,
    /// How many messages of the server had been read by then.
    pub heard: u64,
    /// `params.name`, `params.uri` or `params.taskId`: what it is about.
    pub about: Option<Rc<str>>,
    /// The token under which progress was asked for.
    pub progress_token: Option<Id>,
    /// Whether it asks for a task.
    pub task: bool,
    /// Whether it asks for one by what is no object, or with a `ttl` that is no number of
    /// milliseconds: what the server makes of that is its own affair.
    pub odd_task: bool,
    /// Whether it keeps all rules for a message.
    pub well_formed: bool,
    /// How many responses there were to its id so far.
    pub answers: u32,
    /// How many there were before it was used again.
    pub earlier_answers: u32,
    /// The HTTP exchange that brought the last response; none over stdio.
    pub answered_on: Option<u32>,
    /// Whether the last response was an error.
    pub failed: bool,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// Whether the post that carried it was answered with an HTTP error status, or its answer was
    /// cut.
    pub refused: bool,
    /// How many requests have had the id.
    pub uses: u32,
}

fn is_odd(task: &Value) -> bool {
    let fits = |ttl: &Value| ttl.as_f64().is_some_and(|ttl| ttl >= 0.0);
    !task.is_object() || task.get("ttl").is_some_and(|ttl| !fits(ttl))
}

/// The requests of one side in one session, by id.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: HashMap<Id, Asked>,
    order: VecDeque<Id>,
    open: usize,
    /// Whether some were forgotten, or never seen: then an unknown id proves nothing.
    pub forgotten: bool,
}

impl Ledger {
    /// The request with this id.
    pub fn get(&self, id: &Id) -> Option<&Asked> {
        self.entries.get(id)
    }

    /// The request that a response belongs to.
    pub fn asked(&self, response: &Message) -> Option<&Asked> {
        self.get(response.id.as_ref()?)
    }

    /// Every request that is remembered, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Id, &Asked)> {
        self.entries.iter()
    }

    /// The newest id.
    pub fn last(&self) -> Option<&Id> {
        self.order.back()
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many of them are unanswered.
    pub fn open(&self) -> usize {
        self.open
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn ask(&mut self, request: &Message, at: Duration, heard: u64) {
        let Some(id) = request.id.clone() else {
            return;
        };
        let params = request.params();
        let text = |name: &str| params?.get(name)?.as_str().map(Rc::from);
        let before = self.entries.get(&id);
        let uses = before.map_or(0, |asked| asked.uses);
        let earlier_answers = before.map_or(0, |asked| asked.earlier_answers + asked.answers);
        let asked = Asked {
            method: request.method.clone().unwrap_or_default(),
            at,
            heard,
            about: text("name")
                .or_else(|| text("uri"))
                .or_else(|| text("taskId")),
            progress_token: params
                .and_then(|params| params.get("_meta")?.get("progressToken"))
                .map(Id::of),
            task: params.is_some_and(|params| params.get("task").is_some_and(Value::is_object)),
            odd_task: params
                .and_then(|params| params.get("task"))
                .is_some_and(is_odd),
            well_formed: request.is_well_formed(),
            answers: 0,
            earlier_answers,
            answered_on: None,
            failed: false,
            cancelled: false,
            refused: false,
            uses: uses + 1,
        };
        self.open += 1;
        match self.entries.insert(id.clone(), asked) {
            None => self.order.push_back(id),
            Some(before) => self.open -= usize::from(before.answers == 0),
        }
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
            && let Some(asked) = self.entries.remove(&oldest)
        {
            self.open -= usize::from(asked.answers == 0);
            self.forgotten = true;
        }
    }

    pub(super) fn answer(&mut self, response: &Message) {
        if let Some(asked) = response.id.as_ref().and_then(|id| self.entries.get_mut(id)) {
            self.open -= usize::from(asked.answers == 0);
            asked.answers += 1;
            asked.answered_on = response.exchange.as_ref().map(|exchange| exchange.number);
            asked.failed = response.has_error();
        }
    }

    /// Notes that the post of a request was refused, or its answer cut.
    pub(super) fn refuse(&mut self, request: &Message) {
        let id = request.id.as_ref();
        if let Some(asked) = id.and_then(|id| self.entries.get_mut(id)) {
            asked.refused = true;
        }
    }

    pub(super) fn cancel(&mut self, notification: &Message) {
        let id = notification
            .params()
            .and_then(|params| params.get("requestId"))
            .map(Id::of);
        if let Some(asked) = id.and_then(|id| self.entries.get_mut(&id)) {
            asked.cancelled = true;
        }
    }
}
