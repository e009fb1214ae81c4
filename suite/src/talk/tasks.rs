//! Which tools work as tasks, and what is known of them.

use serde_json::{Value, json};

use super::{
    Call, Reply, Talk,
    survey::{SLOW, SLOW_FROM, TASKS},
};
use crate::case::Stop;

/// Arguments with which a slow tool takes more than two seconds.
const LONGER: [(&str, &str); 1] = [("slow", r#"{"duration_ms":2100,"steps":2}"#)];
/// Tools that are known to need input when they work as tasks.
const NEEDY: [(&str, &str); 1] = [(
    "simulate-research-query",
    r#"{"topic":"conform","ambiguous":true}"#,
)];

/// Whether a tool, given as `tools/list` shows it, works as a task.
pub(crate) fn supports_tasks(tool: &Value) -> bool {
    let support = tool["execution"]["taskSupport"].as_str();
    matches!(support, Some("optional" | "required"))
}

/// Tools that end badly: with the arguments with which a plain call showed it.
#[derive(Default)]
pub(crate) struct Failing {
    /// One whose result has `isError`.
    pub(crate) tool_error: Option<Call>,
    /// One that is answered with an error of JSON-RPC, and its code.
    pub(crate) error: Option<(Call, Value)>,
}

impl Talk {
    /// A permitted tool that takes long as a task, if there is one: it is known by name, or was
    /// slow when it was called plainly.
    pub(crate) async fn slow_task_tool(&self) -> Result<Option<Call>, Stop> {
        let offer = self.offer().await?;
        for (name, _) in SLOW.iter().chain(&TASKS) {
            let tool = offer.tools.iter().find(|tool| tool["name"] == *name);
            if let Some(tool) = tool.filter(|tool| supports_tasks(tool) && self.permits(tool)) {
                return Ok(self.call_of(tool));
            }
        }
        let survey = self.survey().await?;
        let slow = survey.called.iter().find(|called| {
            called.took >= SLOW_FROM
                && called.reply.is_result()
                && self.is_task(&offer.tools, called)
        });
        Ok(slow.map(|called| called.call.clone()))
    }

    fn is_task(&self, tools: &[Value], called: &super::Called) -> bool {
        let tool = tools.iter().find(|tool| tool["name"] == *called.call.name);
        tool.is_some_and(supports_tasks)
    }

    /// The same call with arguments that make it take more than two seconds, if some are known.
    pub(crate) fn longer(&self, call: &Call) -> Option<Call> {
        let (_, json) = LONGER.iter().find(|(name, _)| *name == call.name)?;
        Some(Call {
            name: call.name.clone(),
            arguments: serde_json::from_str(json).ok()?,
        })
    }

    /// A permitted tool that is known to need input when it works as a task.
    pub(crate) async fn needy_task_tool(&self) -> Result<Option<Call>, Stop> {
        let offer = self.offer().await?;
        let needy = NEEDY.iter().find_map(|(name, json)| {
            let mut tools = offer.tools.iter();
            let tool = tools.find(|tool| tool["name"] == *name)?;
            let arguments = serde_json::from_str(json).ok()?;
            (supports_tasks(tool) && self.permits(tool)).then(|| Call {
                name: (*name).to_owned(),
                arguments,
            })
        });
        Ok(needy)
    }

    /// The tools that can be tasks and end badly when they are called plainly.
    pub(crate) async fn failing_task_tools(&self) -> Result<Failing, Stop> {
        let offer = self.offer().await?;
        let survey = self.survey().await?;
        let called = || {
            survey
                .called
                .iter()
                .filter(|called| self.is_task(&offer.tools, called))
        };
        let is_tool_error = |reply: &Reply| {
            let result = reply.result();
            result.is_some_and(|result| result["isError"] == true)
        };
        let tool_error = called().find(|called| is_tool_error(&called.reply));
        let error = called().find_map(|called| {
            let code = called.reply.error_code()?;
            Some((called.call.clone(), code.clone()))
        });
        Ok(Failing {
            tool_error: tool_error.map(|called| called.call.clone()),
            error,
        })
    }

    /// The result of a plain call with the same arguments, if one was made.
    pub(crate) async fn plain_result(&self, call: &Call) -> Option<Value> {
        let survey = self.survey().await.ok()?;
        let same = survey.called.iter().find(|called| called.call == *call)?;
        same.reply.result().cloned()
    }

    /// The name of a task that there is not.
    pub(crate) fn no_task(&self) -> Value {
        json!(format!("conform-{}", self.nonce()))
    }

    /// Whether what the user gave for HTTP may tell the client apart from others.
    pub(crate) fn has_credentials(&self) -> bool {
        self.common.launcher.sends_headers()
    }

    /// The id of the case.
    pub(crate) fn case(&self) -> &'static str {
        self.id
    }
}
