//! Messages that a session sends side by side, for faults that need to see them together.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

/// How long a message waits for others to come, counted from the last that came.
const QUIET: Duration = Duration::from_millis(80);

/// A misdeed that takes a crowd: messages are held until there are enough of them, or
/// until no more come.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// How many messages are a crowd.
    pub size: usize,
    /// Which messages are held.
    pub holds: fn(&Value) -> bool,
    /// What is done to a crowd; a message that is taken out is not served.
    pub bend: fn(&mut [Option<Value>]),
}

/// Where one session's messages wait for each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<(Value, oneshot::Sender<Option<Value>>)>,
    /// How many have ever come.
    arrivals: u64,
}

impl Gate {
    /// What is to be served in place of the message, if anything.
    pub(super) async fn pass(&self, crowd: Option<Crowd>, message: Value) -> Option<Value> {
        let Some(crowd) = crowd.filter(|crowd| (crowd.holds)(&message)) else {
            return Some(message);
        };
        let (sender, served) = oneshot::channel();
        self.arrive(crowd, message, sender);
        served.await.ok().flatten()
    }

    fn arrive(&self, crowd: Crowd, message: Value, sender: oneshot::Sender<Option<Value>>) {
        let mut queue = self.queue();
        queue.waiting.push((message, sender));
        queue.arrivals += 1;
        if queue.waiting.len() >= crowd.size {
            return queue.open(Some(crowd));
        }
        let (gate, last) = (self.clone(), queue.arrivals);
        tokio::spawn(async move {
            tokio::time::sleep(QUIET).await;
            let mut queue = gate.queue();
            if queue.arrivals == last {
                queue.open(None);
            }
        });
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn open(&mut self, crowd: Option<Crowd>) {
        let (messages, senders): (Vec<_>, Vec<_>) =
            mem::take(&mut self.waiting).into_iter().unzip();
        let mut messages: Vec<_> = messages.into_iter().map(Some).collect();
        if let Some(crowd) = crowd {
            (crowd.bend)(&mut messages);
        }
        for (sender, message) in senders.into_iter().zip(messages) {
            // Whoever waited may have hung up.
            let _ = sender.send(message);
        }
    }
}
