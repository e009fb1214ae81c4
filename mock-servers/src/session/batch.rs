//! Arrays of messages, which only 2025-03-26 has.

use serde_json::Value;
use tokio::sync::oneshot;

use super::{Answer, Session};
use crate::message::{self, Kind, RpcError};
use crate::outbox::Outbox;
use crate::revision::Revision;
use crate::scene::{InFlight, Scene};

/// The reply to one element: there already, or to come unless it is cancelled.
enum Slot {
    Ready(Value),
    Awaited(oneshot::Receiver<Value>),
}

impl Session {
    pub(super) fn receive_batch(
        &self,
        message: &Value,
        batch: &[Value],
        scene: &Scene<'_>,
        outbox: &Outbox,
    ) {
        // Before a revision is agreed on there are no batches, so that `initialize`
        // cannot be part of one.
        if !self.revision().is_some_and(Revision::has_batches) {
            let error = RpcError::invalid_request("batches are not part of this revision");
            let reply = self.refuse(None, error);
            return self.send_reply(message, reply, None, scene, outbox);
        }
        if batch.is_empty() {
            let error = RpcError::invalid_request("a batch holds at least one message");
            return self.send_batch(batch, vec![self.refuse(None, error)], outbox);
        }
        let slots: Vec<Slot> = batch
            .iter()
            .filter_map(|element| self.receive_element(element, scene, outbox))
            .collect();
        if slots.iter().all(|slot| matches!(slot, Slot::Ready(_))) {
            let replies = slots.into_iter().filter_map(Slot::ready).collect();
            return self.send_collected(batch, replies, outbox);
        }
        let (session, outbox, batch) = (self.clone(), outbox.clone(), batch.to_vec());
        tokio::spawn(async move {
            let mut replies = Vec::new();
            for slot in slots {
                match slot {
                    Slot::Ready(reply) => replies.push(reply),
                    // A cancelled request drops its sender and goes unanswered.
                    Slot::Awaited(reply) => replies.extend(reply.await.ok()),
                }
            }
            session.send_collected(&batch, replies, &outbox);
        });
    }

    fn receive_element(&self, element: &Value, scene: &Scene<'_>, outbox: &Outbox) -> Option<Slot> {
        let reply = match message::classify(element) {
            Kind::Request(request) => {
                let in_flight = InFlight {
                    id: request.id.clone(),
                    method: request.method.clone(),
                };
                let id = in_flight.id.clone();
                match self.answer(request, outbox) {
                    Answer::Now(outcome) => message::response(&id, outcome),
                    Answer::Then(outcome, then) => {
                        then();
                        message::response(&id, outcome)
                    }
                    Answer::Later(outcome) => {
                        let (reply, awaited) = oneshot::channel();
                        let (session, element) = (self.clone(), element.clone());
                        self.start(in_flight, outbox, async move {
                            let response = message::response(&id, outcome.await);
                            if session.finish(&id) {
                                let scene = session.scene();
                                let _ = reply.send(session.bent(&element, response, &scene, true));
                            }
                        });
                        return Some(Slot::Awaited(awaited));
                    }
                }
            }
            Kind::Notification { method, params } => {
                self.notified(&method, &params);
                Value::Null
            }
            Kind::Response { id, outcome } => {
                self.resolve(&id, outcome);
                return None;
            }
            Kind::Invalid { id, reason } => {
                self.refuse(id.as_ref(), RpcError::invalid_request(reason))
            }
        };
        let reply = self.bent(element, reply, scene, true);
        (!reply.is_null()).then_some(Slot::Ready(reply))
    }

    fn send_collected(&self, batch: &[Value], replies: Vec<Value>, outbox: &Outbox) {
        let replies = if replies.is_empty() {
            Vec::new()
        } else {
            vec![Value::Array(replies)]
        };
        self.send_batch(batch, replies, outbox);
    }

    fn send_batch(&self, batch: &[Value], mut replies: Vec<Value>, outbox: &Outbox) {
        self.0.bends.batch(batch, &mut replies);
        for reply in replies {
            self.send(outbox, reply, None);
        }
    }
}

impl Slot {
    fn ready(self) -> Option<Value> {
        match self {
            Self::Ready(reply) => Some(reply),
            Self::Awaited(_) => None,
        }
    }
}
