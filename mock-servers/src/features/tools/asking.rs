//! Tools that ask the client for something.

use serde_json::{Value, json};

use super::{Call, fails, says};
use crate::session::Answer;

pub(super) fn sample(call: Call) -> Answer {
    let params = json!({
        "messages": [{
            "role": "user",
            "content": { "type": "text", "text": call.string("prompt") },
        }],
        "maxTokens": 100,
    });
    call.ask("sampling", "sampling/createMessage", params)
}

pub(super) fn elicit(call: Call) -> Answer {
    let params = json!({
        "message": call.string("message"),
        "requestedSchema": {
            "type": "object",
            "properties": { "name": { "type": "string", "description": "A name" } },
            "required": ["name"],
        },
    });
    call.ask("elicitation", "elicitation/create", params)
}

pub(super) fn list_roots(call: Call) -> Answer {
    call.ask("roots", "roots/list", Value::Null)
}

pub(super) fn ping(call: Call) -> Answer {
    call.ask_anyway("ping", Value::Null)
}

impl Call {
    /// Asks the client and returns its answer as text, if it can be asked at all.
    fn ask(self, capability: &str, method: &'static str, params: Value) -> Answer {
        let can_be_asked = match capability {
            "elicitation" => self.session.client_fills_forms(),
            _ => self.session.client_has(capability),
        };
        if can_be_asked {
            return self.ask_anyway(method, params);
        }
        let text = format!("the client did not declare `{capability}`");
        Answer::Now(Ok(fails(&text)))
    }

    fn ask_anyway(self, method: &'static str, params: Value) -> Answer {
        Answer::later(async move {
            let answer = self.session.ask(&self.cause, method, params).await;
            Ok(match answer {
                Ok(result) => says(&result.to_string()),
                Err(error) => fails(&format!("the client answered with the error {error}")),
            })
        })
    }
}
