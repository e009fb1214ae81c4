//! A table of faults: what is said to each, and how one knows it by what it says.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::direct::{Direct, request};

/// One thing that a client does.
#[derive(Clone)]
pub(crate) enum Step {
    /// Sends this message.
    Say(Value),
    /// Sends what is no JSON.
    Garble,
    /// Answers the last request of the server with this result.
    Answer(Value),
    /// Says something about the first task that was made, whose id it is given.
    About(fn(&Value) -> Value),
    /// Lets so many milliseconds pass.
    Wait(u64),
}

impl From<Value> for Step {
    fn from(message: Value) -> Self {
        Self::Say(message)
    }
}

pub(crate) struct Row {
    pub(crate) fault: &'static str,
    pub(crate) revision: &'static str,
    /// Whether the handshake has been done before the steps.
    pub(crate) opened: bool,
    pub(crate) steps: Vec<Step>,
    /// What is true of all that the server has said, with the fault and not without.
    pub(crate) shows: fn(&[Value]) -> bool,
}

pub(crate) fn row<const N: usize>(
    fault: &'static str,
    steps: [Step; N],
    shows: fn(&[Value]) -> bool,
) -> Row {
    Row {
        fault,
        revision: "2025-11-25",
        opened: true,
        steps: steps.to_vec(),
        shows,
    }
}

impl Row {
    pub(crate) fn in_revision(self, revision: &'static str) -> Self {
        Self { revision, ..self }
    }

    /// The steps are the first that is said in the session.
    pub(crate) fn unopened(self) -> Self {
        Self {
            opened: false,
            ..self
        }
    }

    /// All that a server says to the steps.
    fn said_by(&self, faults: &[&str]) -> Vec<Value> {
        let mut server = Direct::unopened(faults);
        if self.opened {
            server = server.opened(self.revision);
        }
        let mut said: Vec<Value> = Vec::new();
        for step in &self.steps {
            let more = match step {
                Step::Say(message) => server.tell(message),
                Step::Garble => server.garble(),
                Step::Wait(millis) => server.after(*millis),
                Step::About(message) => {
                    let task = said
                        .iter()
                        .find_map(|said| said.pointer("/result/task/taskId"));
                    server.tell(&message(task.unwrap_or(&Value::Null)))
                }
                Step::Answer(result) => {
                    let asked = |message: &&Value| {
                        message["method"].is_string() && message.get("id").is_some()
                    };
                    let asked: &Value = said.iter().rfind(asked).expect("a request");
                    let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
                    server.tell(&answer)
                }
            };
            said.extend(more);
        }
        said
    }
}

/// Checks that every fault of these areas has a row, and does what its row says.
pub(crate) fn check(area: &str, rows: &[Row], elsewhere: &[&str]) {
    let mut names: BTreeSet<_> = mock_servers::faults()
        .filter(|fault| fault.violates.starts_with(area))
        .map(|fault| fault.name)
        .collect();
    for row in rows {
        let (faulty, honest) = (row.said_by(&[row.fault]), row.said_by(&[]));
        assert!((row.shows)(&faulty), "{}: {faulty:#?}", row.fault);
        assert!(!(row.shows)(&honest), "without {}: {honest:#?}", row.fault);
        names.remove(row.fault);
    }
    for name in elsewhere {
        assert!(names.remove(name), "{name} has a row");
    }
    assert!(names.is_empty(), "without a row: {names:?}");
}

pub(crate) fn ping(id: impl Into<Value>) -> Step {
    Step::Say(request(id, "ping", Value::Null))
}

pub(crate) fn pings<const N: usize>(ids: [Value; N]) -> [Step; N] {
    ids.map(ping)
}

/// The answer with that id.
pub(crate) fn answer(said: &[Value], id: impl Into<Value>) -> &Value {
    let id = id.into();
    said.iter()
        .find(|message| message["id"] == id && message.get("method").is_none())
        .unwrap_or(&Value::Null)
}

pub(crate) fn answered(said: &[Value], id: impl Into<Value>) -> bool {
    !answer(said, id).is_null()
}

/// The answer with that id is an error with this code.
pub(crate) fn refused(said: &[Value], id: impl Into<Value>, code: i64) -> bool {
    answer(said, id)["error"]["code"] == code
}

/// What was said at that place, or null.
pub(crate) fn nth(said: &[Value], position: usize) -> &Value {
    said.get(position).unwrap_or(&Value::Null)
}
