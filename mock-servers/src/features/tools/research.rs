//! A tool that is a task.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Call, says};
use crate::session::Answer;

const STAGES: [&str; 4] = ["gathering", "reading", "comparing", "summing up"];

/// Long enough for a task to be seen at work, short enough to be waited for.
const STAGE: Duration = Duration::from_millis(30);

pub(super) fn research(call: Call) -> Answer {
    Answer::later(async move {
        let meaning = call.meaning().await;
        let total = STAGES.len() as u64;
        for (done, stage) in (1..).zip(STAGES) {
            tokio::time::sleep(STAGE).await;
            call.report(done, total, stage);
        }
        let topic = call.string("topic");
        Ok(says(&format!(
            "There is nothing new on {topic}, {meaning}."
        )))
    })
}

impl Call {
    /// What the topic is taken to mean: the client's choice, if it is asked and has one.
    async fn meaning(&self) -> String {
        let whatever = "whatever is meant by it".to_owned();
        let is_ambiguous = self.arguments.get("ambiguous") == Some(&Value::Bool(true));
        if !is_ambiguous || !self.session.client_fills_forms() {
            return whatever;
        }
        let params = json!({
            "message": "What is meant by the topic?",
            "requestedSchema": {
                "type": "object",
                "properties": { "meaning": { "type": "string", "description": "The meaning" } },
                "required": ["meaning"],
            },
        });
        let answer = self
            .session
            .ask(&self.cause, "elicitation/create", params)
            .await;
        match answer {
            Ok(answer) => match answer["content"]["meaning"].as_str() {
                Some(meaning) => format!("meaning {meaning}"),
                None => whatever,
            },
            Err(_) => whatever,
        }
    }
}
