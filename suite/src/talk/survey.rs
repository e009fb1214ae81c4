//! A look at everything that the server offers: lists are walked, what needs no argument is read,
//! and tools are called as far as the user permits. It gives rules something to judge, and tells
//! probes what there is.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};

use super::{Patience, Reply, Talk, Versions, Waiting, arguments};
use crate::{
    case::{Stop, unverified},
    session::{Launcher, Neighbours, Session},
    tape::{Id, Kind, Message},
};

/// A list is walked for so many pages.
const PAGES: usize = 200;
/// So many resources, and so many prompts, are read.
const READS: usize = 12;
/// So many tools are called.
const CALLS: usize = 24;
/// So many of those that took long are called once more.
const RECALLS: usize = 4;

/// Tools that are known to take their time, with arguments that make it short.
pub(super) const SLOW: [(&str, &str); 3] = [
    ("slow", r#"{"duration_ms":520,"steps":8}"#),
    (
        "trigger-long-running-operation",
        r#"{"duration":3,"steps":6}"#,
    ),
    ("longRunningOperation", r#"{"duration":3,"steps":6}"#),
];
/// Tools that are known to work as tasks.
pub(super) const TASKS: [(&str, &str); 1] = [("simulate-research-query", r#"{"topic":"conform"}"#)];
/// Tools that are known to ask the client for something, with their arguments.
const ASKING: [(&str, &str); 10] = [
    ("test_sampling", r#"{"prompt":"conform"}"#),
    ("list-roots", "{}"),
    ("get-roots-list", "{}"),
    ("listRoots", "{}"),
    ("trigger-sampling-request", r#"{"prompt":"conform"}"#),
    ("sampleLLM", r#"{"prompt":"conform"}"#),
    ("test_elicitation", r#"{"message":"conform"}"#),
    ("trigger-elicitation-request", "{}"),
    ("startElicitation", "{}"),
    ("trigger-url-elicitation", "{}"),
];
/// From so long on a tool counts as slow: long enough for a cancellation to come in the midst of it.
pub(crate) const SLOW_FROM: Duration = Duration::from_millis(500);

/// What the lists of a server hold, every page of them.
#[derive(Debug, Default)]
pub(crate) struct Offer {
    pub(crate) tools: Vec<Value>,
    pub(crate) resources: Vec<Value>,
    pub(crate) templates: Vec<Value>,
    pub(crate) prompts: Vec<Value>,
}

/// A tool and the arguments for a call of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: Value,
}

impl Call {
    /// The `params` of `tools/call`.
    pub(crate) fn params(&self) -> Value {
        json!({ "name": self.name, "arguments": self.arguments })
    }

    /// The same with a progress token.
    pub(crate) fn params_with_token(&self, token: &Value) -> Value {
        let mut params = self.params();
        params["_meta"] = json!({ "progressToken": token });
        params
    }
}

/// A call that was made, and what came of it.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) call: Call,
    pub(crate) reply: Reply,
    pub(crate) took: Duration,
    /// How many progress notifications came for it.
    pub(crate) progress: usize,
}

/// What came of the look.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) called: Vec<Called>,
}

/// Something that one lane finds out and others wait for.
struct Announced<T> {
    value: RefCell<Option<Result<Rc<T>, String>>>,
    told: Notify,
}

impl<T> Default for Announced<T> {
    fn default() -> Self {
        Announced {
            value: RefCell::default(),
            told: Notify::new(),
        }
    }
}

impl<T> Announced<T> {
    fn tell(&self, value: Result<Rc<T>, String>) {
        self.value.borrow_mut().get_or_insert(value);
        self.told.notify_waiters();
    }

    async fn wait(&self) -> Result<Rc<T>, Stop> {
        loop {
            let told = self.told.notified();
            if let Some(value) = self.value.borrow().clone() {
                return value.map_err(Stop::Unverified);
            }
            told.await;
        }
    }
}

/// What all lanes of one revision share.
pub(crate) struct Common {
    pub(crate) launcher: Launcher,
    /// What all revisions of the run know of versions.
    pub(crate) versions: Rc<Versions>,
    /// How many sessions may be talked to at a time.
    pub(crate) jobs: Rc<Semaphore>,
    /// The result of `initialize` in the first session of the revision.
    first: RefCell<Value>,
    /// What a second session does to the first one.
    neighbours: RefCell<Neighbours>,
    /// Whether that session is one in name only.
    stateless: Cell<bool>,
    offer: Announced<Offer>,
    survey: Announced<Survey>,
}

impl Common {
    pub(crate) fn new(launcher: Launcher, versions: Rc<Versions>, jobs: Rc<Semaphore>) -> Common {
        Common {
            launcher,
            versions,
            jobs,
            first: RefCell::default(),
            neighbours: RefCell::default(),
            stateless: Cell::new(false),
            offer: Announced::default(),
            survey: Announced::default(),
        }
    }

    /// Notes what the first session has shown of the server.
    pub(crate) fn opened(&self, session: &Session) {
        *self.first.borrow_mut() = session.initialized().unwrap_or_default();
        self.stateless.set(session.is_stateless());
    }

    /// Notes what a second session does to the first one.
    pub(crate) fn beside(&self, neighbours: &Neighbours) {
        *self.neighbours.borrow_mut() = neighbours.clone();
    }

    /// Nobody will look, for this reason; without effect once somebody has.
    pub(crate) fn no_survey(&self, reason: &str) {
        self.offer.tell(Err(reason.to_owned()));
        self.survey.tell(Err(reason.to_owned()));
    }
}

/// Makes the survey, for all lanes.
pub(crate) async fn survey(talk: &Talk) -> Result<(), Stop> {
    let offer = match lists(talk).await {
        Ok(offer) => Rc::new(offer),
        Err(stop) => {
            talk.common
                .no_survey("the lists of the server could not be read");
            return Err(stop);
        }
    };
    talk.common.offer.tell(Ok(Rc::clone(&offer)));
    let result = look(talk, &offer).await;
    talk.common
        .no_survey("what the server offers could not be looked at");
    result
}

async fn look(talk: &Talk, offer: &Offer) -> Result<(), Stop> {
    for resource in offer.resources.iter().take(READS) {
        talk.ask("resources/read", json!({ "uri": resource["uri"] }))
            .await?;
    }
    let plain = offer.prompts.iter().filter(|prompt| {
        let arguments = prompt["arguments"].as_array();
        !arguments.is_some_and(|all| all.iter().any(|argument| argument["required"] == true))
    });
    for prompt in plain.take(READS) {
        talk.ask("prompts/get", json!({ "name": prompt["name"] }))
            .await?;
    }
    let mut begun: Vec<(Call, Value, Instant, Waiting)> = Vec::new();
    for tool in offer.tools.iter().take(PAGES) {
        if begun.len() == CALLS || !talk.permits(tool) || needs_task(tool) {
            continue;
        }
        let Some(call) = talk.call_of(tool) else {
            continue;
        };
        let token = json!(talk.session.fresh_id("progress"));
        let id = talk.fresh_id();
        let request = json!({
            "jsonrpc": "2.0",
            "id": id,
            "method": "tools/call",
            "params": call.params_with_token(&token),
        });
        let waiting = talk
            .begin(request.to_string().as_bytes(), Some(Id::Text(id)))
            .await?;
        begun.push((call, token, Instant::now(), waiting));
    }
    // Tools take their time, which the cases behind can use.
    talk.leave_floor();
    let mut called = Vec::with_capacity(begun.len());
    for (call, token, at, waiting) in begun {
        let sent = waiting.begun();
        let reply = talk.finish(waiting, Patience::Limit).await?;
        let took = match &reply {
            Reply::Answer(answer) => answer.at.saturating_sub(sent),
            _ => at.elapsed(),
        };
        let progress = talk.progress_of(&token).len();
        called.push(Called {
            call,
            reply,
            took,
            progress,
        });
    }
    recall_slow(talk, &mut called).await?;
    talk.common.survey.tell(Ok(Rc::new(Survey { called })));
    // A server that has asked for the roots asks again when they change: more to be judged.
    if !talk.heard("roots/list").is_empty() {
        let changed = json!({ "jsonrpc": "2.0", "method": "notifications/roots/list_changed" });
        talk.tell(&changed).await?;
    }
    Ok(())
}

/// Calls what took long once more, alone: among many calls, or on a machine that is just starting
/// other processes, a quick tool takes long too.
async fn recall_slow(talk: &Talk, called: &mut [Called]) -> Result<(), Stop> {
    let is_known = |call: &Call| SLOW.iter().any(|(name, _)| *name == call.name);
    let slow = called
        .iter_mut()
        .filter(|called| called.took >= SLOW_FROM && called.reply.is_result());
    for called in slow.filter(|called| !is_known(&called.call)).take(RECALLS) {
        let begin = Instant::now();
        let reply = talk.ask("tools/call", called.call.params()).await?;
        // What is refused now says nothing of how long the work takes.
        let served = |result: &Value| result["isError"] != true;
        if reply.result().is_some_and(served) {
            called.took = called.took.min(begin.elapsed());
        }
        if called.took >= SLOW_FROM {
            break;
        }
    }
    Ok(())
}

async fn lists(talk: &Talk) -> Result<Offer, Stop> {
    let mut offer = Offer::default();
    if talk.session.declares("tools") {
        offer.tools = walk(talk, "tools/list", "tools").await?;
    }
    if talk.session.declares("resources") {
        offer.resources = walk(talk, "resources/list", "resources").await?;
        offer.templates = walk(talk, "resources/templates/list", "resourceTemplates").await?;
    }
    if talk.session.declares("prompts") {
        offer.prompts = walk(talk, "prompts/list", "prompts").await?;
    }
    Ok(offer)
}

/// Every page of a list. What cannot be read of it is missing; its own clauses judge that.
async fn walk(talk: &Talk, method: &str, member: &str) -> Result<Vec<Value>, Stop> {
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    let mut params = Value::Null;
    let until = Instant::now() + talk.session.limits.answer * 2;
    for _ in 0..PAGES {
        if Instant::now() > until {
            break;
        }
        let reply = talk.ask(method, params).await?;
        if let Reply::Gone(broken) = reply {
            return Err(broken.into());
        }
        let Some(result) = reply.result() else {
            break;
        };
        all.extend(result[member].as_array().into_iter().flatten().cloned());
        match result["nextCursor"].as_str() {
            // A cursor that comes back would lead round for ever.
            Some(cursor) if seen.insert(cursor.to_owned()) => params = json!({ "cursor": cursor }),
            _ => break,
        }
    }
    Ok(all)
}

fn needs_task(tool: &Value) -> bool {
    tool["execution"]["taskSupport"] == "required"
}

impl Talk {
    /// What the lists of the server hold.
    pub(crate) async fn offer(&self) -> Result<Rc<Offer>, Stop> {
        self.common.offer.wait().await
    }

    /// What came of reading and calling what the server offers.
    pub(crate) async fn survey(&self) -> Result<Rc<Survey>, Stop> {
        self.common.survey.wait().await
    }

    /// Whether a tool, given as `tools/list` shows it, may be called.
    pub(crate) fn permits(&self, tool: &Value) -> bool {
        self.common.launcher.permissions.permits(tool)
    }

    /// A call of the tool: with the arguments that the user gave, or the smallest that fit.
    pub(crate) fn call_of(&self, tool: &Value) -> Option<Call> {
        let name = tool["name"].as_str()?;
        let given = self.common.launcher.permissions.arguments(name).cloned();
        let known = || {
            let (_, json) = SLOW
                .iter()
                .chain(&TASKS)
                .chain(&ASKING)
                .find(|(known, _)| *known == name)?;
            serde_json::from_str(json).ok()
        };
        let arguments = given
            .or_else(known)
            .unwrap_or_else(|| arguments::smallest(&tool["inputSchema"]));
        Some(Call {
            name: name.to_owned(),
            arguments,
        })
    }

    /// The permitted tool of this name.
    pub(crate) async fn permitted(&self, name: &str) -> Result<Option<Call>, Stop> {
        let offer = self.offer().await?;
        let tool = offer.tools.iter().find(|tool| tool["name"] == name);
        Ok(tool
            .filter(|tool| self.permits(tool))
            .and_then(|tool| self.call_of(tool)))
    }

    /// A permitted tool of any kind.
    pub(crate) async fn any_tool(&self) -> Result<Call, Stop> {
        let offer = self.offer().await?;
        let mut permitted = offer
            .tools
            .iter()
            .filter(|tool| self.permits(tool) && !needs_task(tool));
        match permitted.find_map(|tool| self.call_of(tool)) {
            Some(call) => Ok(call),
            None => unverified(no_tool(&offer, "")),
        }
    }

    /// A permitted tool that takes half a second or more: one that is known by name, or one that was
    /// slow when it was called.
    pub(crate) async fn slow_tool(&self) -> Result<Call, Stop> {
        for (name, _) in SLOW {
            if let Some(call) = self.permitted(name).await? {
                return Ok(call);
            }
        }
        let survey = self.survey().await?;
        let slow = survey
            .called
            .iter()
            .find(|called| called.took >= SLOW_FROM && called.reply.is_result());
        match slow {
            Some(called) => Ok(called.call.clone()),
            None => unverified(no_tool(
                &*self.offer().await?,
                " that takes half a second or more",
            )),
        }
    }

    /// A permitted tool that sent progress when it was called with a token.
    pub(crate) async fn progress_tool(&self) -> Result<Call, Stop> {
        if let Some(call) = self.permitted("test_tool_with_progress").await? {
            return Ok(call);
        }
        let survey = self.survey().await?;
        let mut reporting: Vec<_> = survey
            .called
            .iter()
            .filter(|called| called.progress > 0)
            .collect();
        reporting.sort_by_key(|called| called.took);
        match reporting.first() {
            Some(called) => Ok(called.call.clone()),
            None => unverified(no_tool(&*self.offer().await?, " that reports progress")),
        }
    }

    /// A permitted tool that is known to ask the client for something.
    pub(crate) async fn asking_tool(&self) -> Result<Call, Stop> {
        for (name, _) in ASKING {
            if let Some(call) = self.permitted(name).await? {
                return Ok(call);
            }
        }
        unverified(no_tool(
            &*self.offer().await?,
            " that is known to ask the client for something",
        ))
    }

    /// What the server said of itself in the first session of the revision, in its answer to
    /// `initialize`.
    pub(crate) fn first_result(&self) -> Value {
        self.common.first.borrow().clone()
    }

    /// Whether the server keeps no sessions, and so cannot know what came before.
    pub(crate) fn is_stateless(&self) -> bool {
        self.common.stateless.get()
    }

    /// What a second session does to the first one.
    pub(crate) fn neighbours(&self) -> Neighbours {
        self.common.neighbours.borrow().clone()
    }

    /// A permitted tool that works as a task, where the server declares tasks for tool calls.
    pub(crate) async fn task_tool(&self) -> Result<Call, Stop> {
        if !self.session.declares("tasks.requests.tools.call") {
            return Err(Stop::NotApplicable(
                "the server does not declare `tasks.requests.tools.call`".to_owned(),
            ));
        }
        let offer = self.offer().await?;
        let supports = |tool: &&Value| {
            let support = tool["execution"]["taskSupport"].as_str();
            matches!(support, Some("optional" | "required")) && self.permits(tool)
        };
        let known = |tool: &&Value| TASKS.iter().any(|(name, _)| tool["name"] == *name);
        let tool = offer
            .tools
            .iter()
            .filter(supports)
            .find(known)
            .or_else(|| offer.tools.iter().find(supports));
        match tool.and_then(|tool| self.call_of(tool)) {
            Some(call) => Ok(call),
            None => unverified(no_tool(&offer, " that supports tasks")),
        }
    }

    /// The progress notifications that have come for a token so far, with their times.
    pub(crate) fn progress_of(&self, token: &Value) -> Vec<(Duration, Value)> {
        let token = Id::of(token);
        self.heard("notifications/progress")
            .into_iter()
            .filter(|(_, params)| params.get("progressToken").map(Id::of) == Some(token.clone()))
            .collect()
    }

    /// The server's own requests so far, pings apart.
    pub(crate) fn requests_heard(&self) -> Vec<(Duration, Message)> {
        self.session.with_state(|state| {
            let requests = state.heard.iter().filter(|(_, message)| {
                message.kind() == Kind::Request && message.method.as_deref() != Some("ping")
            });
            requests.cloned().collect()
        })
    }

    /// The progress notifications that have come for a token so far, as they are.
    pub(crate) fn reports_of(&self, token: &Value) -> Vec<(Duration, Message)> {
        let token = Id::of(token);
        let reports_it = |message: &Message| {
            message.kind() == Kind::Notification
                && message.method.as_deref() == Some("notifications/progress")
                && message
                    .params()
                    .and_then(|params| params.get("progressToken"))
                    .map(Id::of)
                    .as_ref()
                    == Some(&token)
        };
        self.session.with_state(|state| {
            let heard = state.heard.iter();
            heard
                .filter(|(_, message)| reports_it(message))
                .cloned()
                .collect()
        })
    }

    /// The `params` of the server's requests and notifications of this method so far.
    pub(crate) fn heard(&self, method: &str) -> Vec<(Duration, Value)> {
        self.session.with_state(|state| {
            let heard = state.heard.iter().filter(|(_, message)| {
                message.kind() != Kind::Response && message.method.as_deref() == Some(method)
            });
            heard
                .map(|(at, message)| (*at, message.params().cloned().unwrap_or_default()))
                .collect()
        })
    }
}

/// Why there is no tool to call, and which option would give one.
fn no_tool(offer: &Offer, kind: &str) -> String {
    if offer.tools.is_empty() {
        return "the server lists no tools".to_owned();
    }
    format!(
        "there is no tool{kind} that may be called; --tools=all or --call NAME would permit more"
    )
}
