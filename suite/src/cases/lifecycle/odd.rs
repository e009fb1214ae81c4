//! A handshake with everything about it that is unusual and harmless.

use super::{Opening, declared_lists, initialized_and_served};
use crate::{cases::prelude::*, session::Stray};

/// What the server made of it: all in one session, and if anything failed there, each in one of
/// its own.
pub(super) struct Odd {
    /// The handshake behind a premature `notifications/initialized`.
    pub(super) premature: Opening,
    /// What `initialize` with unknown capabilities came to.
    pub(super) capabilities: Reply,
    /// What `initialize` with unknown members came to.
    pub(super) members: Reply,
    /// What followed in the session; none if the session could not be opened.
    pub(super) running: Option<Running>,
}

/// What follows the result of `initialize`.
pub(super) struct Running {
    /// The request in one write with `notifications/initialized`.
    pub(super) method: &'static str,
    pub(super) reply: Reply,
    /// Whether the same is served later, or another list is: asked where the first one was not.
    pub(super) later: Option<Later>,
    pub(super) again: Again,
    pub(super) second: Second,
}

/// Whether lists are served at all.
pub(super) struct Later {
    pub(super) same: bool,
    pub(super) other: bool,
}

/// Another `notifications/initialized`.
pub(super) struct Again {
    pub(super) sentinel: Reply,
    /// Responses that answer nothing and came behind it.
    pub(super) strays: Vec<Stray>,
}

/// Another `initialize`.
pub(super) struct Second {
    pub(super) reply: Reply,
    pub(super) sentinel: Reply,
}

impl Running {
    /// Goes on behind an `initialize` with these params.
    async fn play(s: &Talk, params: Value) -> Result<Running, Stop> {
        let lists = declared_lists(s);
        let method = lists.first().copied().unwrap_or("ping");
        let reply = s.say_initialized_and(method, Value::Null).await?;
        let later = match reply.is_result() {
            true => None,
            false => Some(Later::ask(s, &lists).await?),
        };
        let since = s.session.now();
        let mut sentinel = initialized_and_served(s).await?;
        if sentinel.is_result() {
            // A second one in turn: what responds to the notification has come by then.
            sentinel = s.serves().await?;
        }
        let mut strays = s.strays();
        strays.retain(|stray| stray.at >= since);
        let again = Again { sentinel, strays };
        let reply_to_second = s.say_initialize(params).await?;
        let sentinel = match reply_to_second.is_result() {
            // Python 1.9 falls back to where it was before the first one.
            true => initialized_and_served(s).await?,
            false => s.serves().await?,
        };
        let second = Second {
            reply: reply_to_second,
            sentinel,
        };
        Ok(Running {
            method,
            reply,
            later,
            again,
            second,
        })
    }

    fn is_well(&self) -> bool {
        self.reply.is_result()
            && self.again.sentinel.is_result()
            && self.again.strays.is_empty()
            && !self.second.reply.is_silence()
            && self.second.sentinel.is_result()
    }
}

impl Later {
    async fn ask(s: &Talk, lists: &[&'static str]) -> Result<Later, Stop> {
        let mut served = Vec::new();
        for method in lists {
            served.push(s.ask(method, Value::Null).await?.is_result());
        }
        if served.is_empty() {
            served.push(s.serves().await?.is_result());
        }
        Ok(Later {
            same: served[0],
            other: served[1..].contains(&true),
        })
    }
}

impl Conversation for Odd {
    async fn hold(s: &Talk) -> Result<Odd, Stop> {
        let params = with_capabilities(with_members(s.initialize_params()));
        if let Some(initialize) = prematurely(s, params.clone()).await?
            && initialize.is_result()
        {
            let running = Running::play(s, params).await?;
            if running.is_well() {
                let premature = Opening {
                    initialize: initialize.clone(),
                    sentinel: Some(running.again.sentinel.clone()),
                };
                return Ok(Odd {
                    premature,
                    capabilities: initialize.clone(),
                    members: initialize,
                    running: Some(running),
                });
            }
        }
        s.forget_log();
        Odd::apart(s).await
    }
}

impl Odd {
    /// Each alone.
    async fn apart(s: &Talk) -> Result<Odd, Stop> {
        let plain = s.initialize_params();
        let client = s.another()?;
        let premature = match prematurely(&client, plain.clone()).await? {
            Some(initialize) if initialize.is_result() => Opening {
                initialize,
                sentinel: Some(initialized_and_served(&client).await?),
            },
            Some(initialize) => Opening {
                initialize,
                sentinel: None,
            },
            None => Opening {
                initialize: Reply::Gone(client.session.broken("initialize")),
                sentinel: None,
            },
        };
        let client = s.another()?;
        let capabilities = client
            .say_initialize(with_capabilities(plain.clone()))
            .await?;
        let client = s.another()?;
        let members = client.say_initialize(with_members(plain.clone())).await?;
        let client = s.another()?;
        let running = match client.say_initialize(plain.clone()).await?.is_result() {
            true => Some(Running::play(&client, plain).await?),
            false => None,
        };
        Ok(Odd {
            premature,
            capabilities,
            members,
            running,
        })
    }
}

/// `initialize` behind a premature `notifications/initialized`; none if the server was gone before.
async fn prematurely(s: &Talk, params: Value) -> Result<Option<Reply>, Stop> {
    match s.say_initialized().await {
        Ok(()) => s.say_initialize(params).await.map(Some),
        Err(Stop::Broke(_)) => Ok(None),
        Err(stop) => Err(stop),
    }
}

/// With what newer clients declare to older servers, in every revision.
fn with_capabilities(mut params: Value) -> Value {
    params["capabilities"] = json!({
        "conformUnknown": { "a": 1 },
        "experimental": { "com.example.conform": {} },
        "roots": { "listChanged": true, "x": 1 },
        "elicitation": { "form": {}, "url": {} },
        "tasks": { "list": {} },
    });
    params
}

/// With what newer clients say of themselves, and more.
fn with_members(mut params: Value) -> Value {
    params["conformExtra"] = json!({ "a": 1 });
    let client = &mut params["clientInfo"];
    client["title"] = json!("mcp-conform");
    client["description"] = json!("tests whether servers keep the protocol");
    client["websiteUrl"] = json!("https://example.com/");
    client["icons"] = json!([{ "src": "https://example.com/icon.png", "sizes": ["48x48"] }]);
    client["conformExtra"] = json!(true);
    params
}
