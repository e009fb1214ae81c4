//! Clients of their own, each with a session, and what they see together.

pub(super) use std::{rc::Rc, time::Duration};

use tokio::time::Instant;

use super::prelude::*;
pub(super) use crate::{
    talk::{Draft, Turn},
    tape::{Exchange, Stream},
};

/// What the conversation of several clients showed. Each case shows the part that it is about.
pub(super) async fn held<T: Conversation>(s: &Talk) -> Result<Rc<T>, Stop> {
    let held = s.held().await;
    s.forget_log();
    held
}

/// A client with a session of its own, opened by single requests.
pub(super) struct Client {
    pub(super) talk: Talk,
    pub(super) initialized: Turn,
    /// L, a list request that the declared capabilities offer.
    list: Option<&'static str>,
}

impl Client {
    /// Opens the session. It declares nothing, so that the server asks it nothing.
    pub(super) async fn open(s: &Talk) -> Result<Client, Stop> {
        let talk = s.another()?;
        talk.behave(Manner::Bare);
        let initialize = talk.turn(talk.post(&initialize(&talk))?).await;
        initialize.settled()?;
        let Some(result) = initialize.result() else {
            return unverified(format!(
                "a further session could not be opened: `initialize` {initialize}, see \
                 streamable-http/several-sessions"
            ));
        };
        if talk.session.shares_id() {
            return unverified(
                "two sessions have the same id, see streamable-http/session-id-unique",
            );
        }
        talk.session.opened_with(result);
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let initialized = talk.turn(talk.post(&initialized)?).await;
        let list = [
            ("tools", "tools/list"),
            ("resources", "resources/list"),
            ("prompts", "prompts/list"),
        ]
        .into_iter()
        .find(|(feature, _)| talk.session.declares(feature))
        .map(|(_, method)| method);
        Ok(Client {
            talk,
            initialized,
            list,
        })
    }

    /// The session id.
    pub(super) fn id(&self) -> Option<String> {
        self.talk.session.session_id()
    }

    /// A post of H, the harmless request.
    pub(super) fn harmless(&self) -> Result<Draft, Stop> {
        self.request("ping")
    }

    /// A post of L.
    pub(super) fn list(&self) -> Result<Draft, Stop> {
        match self.list {
            Some(method) => self.request(method),
            None => unverified("the server offers no list to ask for"),
        }
    }

    /// The method of L.
    pub(super) fn list_method(&self) -> Option<&'static str> {
        self.list
    }

    /// A post of a request without params.
    pub(super) fn request(&self, method: &str) -> Result<Draft, Stop> {
        self.request_as(&self.talk.fresh_id(), method, Value::Null)
    }

    /// The same with an id and params.
    pub(super) fn request_as(&self, id: &str, method: &str, params: Value) -> Result<Draft, Stop> {
        let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        if !params.is_null() {
            request["params"] = params;
        }
        self.talk.post(&request)
    }

    /// Posts H.
    pub(super) async fn ping(&self) -> Result<Turn, Stop> {
        Ok(self.talk.turn(self.harmless()?).await)
    }

    /// Opens the stream of the session by GET.
    pub(super) async fn listen(&self) -> Result<Turn, Stop> {
        Ok(self.talk.turn(self.talk.get()?).await)
    }

    /// Reads an open stream until it ends, or two sentinels in turn were answered while nothing
    /// came on it; for as long as one answer may take at most.
    pub(super) async fn read(&self, stream: &Turn) -> Result<(), Stop> {
        let begin = Instant::now();
        let count = || stream.posting.with_events(<[_]>::len);
        let (mut quiet, mut seen) = (0, count());
        while quiet < 2 && begin.elapsed() < self.talk.session.limits.answer {
            let ping = self.harmless()?;
            tokio::select! {
                biased;
                _ = stream.posting.ended() => return Ok(()),
                _ = self.talk.turn(ping) => {}
            }
            let now = count();
            quiet = if now == seen { quiet + 1 } else { 0 };
            seen = now;
        }
        Ok(())
    }
}

/// The request that opens a session.
pub(super) fn initialize(talk: &Talk) -> Value {
    json!({
        "jsonrpc": "2.0",
        "id": talk.fresh_id(),
        "method": "initialize",
        "params": talk.initialize_params(),
    })
}

/// Clauses on sessions say nothing of a server that keeps none.
pub(super) fn keeps_sessions(s: &Talk) -> Result<(), Stop> {
    match s.is_stateless() {
        true => not_applicable("the server gives no session ids"),
        false => Ok(()),
    }
}

/// Shows these turns as what the case is about.
pub(super) fn show<'a>(s: &Talk, turns: impl IntoIterator<Item = &'a Turn>) {
    turns.into_iter().for_each(|turn| s.show(turn));
}
