//! What happens between the answer to `initialize` and `notifications/initialized`, with a client
//! that answers none of the server's requests; and how the server bears that.

use std::time::Duration;

use super::{declared_lists, early::BEFORE};
use crate::{cases::prelude::*, talk::Call};

/// See the module.
pub(super) struct Between {
    /// The first request of the session, under the id 0.
    pub(super) initialize: Reply,
    /// What followed its result.
    pub(super) rest: Option<Rest>,
}

/// What followed the result of `initialize`.
pub(super) struct Rest {
    /// The first request of the server's, pings apart, that came before `notifications/initialized`.
    pub(super) premature: Option<(Duration, Message)>,
    /// A request that was sent before `notifications/initialized`.
    pub(super) method: &'static str,
    pub(super) reply: Reply,
    /// A ping behind `notifications/initialized`.
    pub(super) sentinel: Reply,
    /// What the server did without the answer that it wanted, if it wanted one.
    pub(super) owed: Result<Owed, Stop>,
}

/// A request of the server's that stays unanswered.
pub(super) struct Owed {
    /// What the server asked for.
    pub(super) request: (Duration, Message),
    /// A ping in the meantime.
    pub(super) harmless: Reply,
    /// What the call that led to it came to, if it was waited for.
    pub(super) outcome: Result<Outcome, Stop>,
}

/// How a call ended in which the client owed an answer for ever.
#[derive(Clone)]
pub(super) struct Outcome {
    pub(super) reply: Reply,
    /// Whether the server took its request back.
    pub(super) cancelled: bool,
    /// The server has cancelled something else than its own request.
    pub(super) cancelled_other: bool,
}

impl Conversation for Between {
    async fn hold(s: &Talk) -> Result<Between, Stop> {
        s.behave(Manner::Deaf);
        let initialize = s.say_initialize_as(json!(0), s.initialize_params()).await?;
        let rest = match initialize.is_result() {
            true => Some(Rest::play(s).await?),
            false => None,
        };
        Ok(Between { initialize, rest })
    }
}

impl Between {
    /// What followed the handshake; without it nothing is known.
    pub(super) fn rest(&self) -> Result<&Rest, Stop> {
        match &self.rest {
            Some(rest) => Ok(rest),
            None => unverified("the handshake failed, see lifecycle/initialize-answered"),
        }
    }
}

impl Rest {
    async fn play(s: &Talk) -> Result<Rest, Stop> {
        s.session.listen();
        // The silence itself is looked for, and Java holds pings back: only time can tell.
        s.quiet_window().await;
        let method = declared_lists(s).first().copied().unwrap_or("ping");
        let id = s.fresh_id();
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        let mut waiting = s
            .begin(request.to_string().as_bytes(), Some(Id::Text(id)))
            .await?;
        // Over HTTP what is posted next could overtake it.
        let first = s.within(&mut waiting, BEFORE).await;
        let before = s.session.now();
        let premature = s.requests_heard().into_iter().find(|(at, _)| *at < before);
        let sentinel = super::initialized_and_served(s).await?;
        let reply = match first {
            Some(reply) => reply,
            None => s.finish(waiting, Patience::Limit).await?,
        };
        let owed = match sentinel.is_result() {
            true => Owed::play(s).await,
            false => unverified(format!("the `ping` after the handshake {sentinel}")),
        };
        Ok(Rest {
            premature,
            method,
            reply,
            sentinel,
            owed,
        })
    }

    /// What the server did without the answer that it wanted.
    pub(super) fn owed(&self) -> Result<&Owed, Stop> {
        self.owed.as_ref().map_err(Stop::clone)
    }
}

impl Owed {
    async fn play(s: &Talk) -> Result<Owed, Stop> {
        match (s.asking_tool().await, s.requests_heard().pop()) {
            (Ok(call), _) => Owed::by_call(s, call).await,
            // It has asked of its own accord.
            (Err(stop), Some(request)) => Ok(Owed {
                request,
                harmless: s.serves().await?,
                outcome: Err(stop),
            }),
            (Err(stop), None) => Err(stop),
        }
    }

    async fn by_call(s: &Talk, call: Call) -> Result<Owed, Stop> {
        let allowed = s.session.limits.long_wait.is_some();
        let patience = if allowed {
            Patience::Long
        } else {
            Patience::Limit
        };
        let id = s.fresh_id();
        let request =
            json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": call.params() });
        let known = s.requests_heard().len();
        let waiting = s
            .begin(request.to_string().as_bytes(), Some(Id::Text(id)))
            .await?;
        let mut reply = std::pin::pin!(s.finish(waiting, patience));
        let asked = tokio::select! {
            biased;
            true = s.asks(known) => s.requests_heard().into_iter().nth(known),
            reply = &mut reply => {
                return unverified(format!(
                    "`{}` asks the client for nothing: the call {}", call.name, reply?
                ));
            }
            else => None,
        };
        let Some(request) = asked else {
            return unverified(format!("`{}` asks the client for nothing", call.name));
        };
        s.note(Excerpt::of_message(request.0, &request.1));
        let harmless = s.serves().await?;
        let outcome = match allowed {
            true => {
                let reply = reply.await;
                // What takes the request back may come on another way, just behind.
                s.fence().await.ok();
                let cancelled = takes_back(s, &request.1);
                reply.map(|reply| Outcome {
                    reply,
                    cancelled,
                    cancelled_other: !cancelled && !s.heard(CANCELLED).is_empty(),
                })
            }
            false => unverified("the wait is long: --long-wait SECONDS allows it"),
        };
        // So that the call can end, and the session.
        s.waits_no_longer();
        let error = json!({ "code": -32603, "message": "there is no answer" });
        let id = request.1.get("id").cloned().unwrap_or_default();
        let answer = json!({ "jsonrpc": "2.0", "id": id, "error": error });
        s.tell(&answer).await.ok();
        Ok(Owed {
            request,
            harmless,
            outcome,
        })
    }
}

/// How the server takes a request of its own back.
const CANCELLED: &str = "notifications/cancelled";

/// Whether the server has cancelled its request.
fn takes_back(s: &Talk, request: &Message) -> bool {
    s.heard(CANCELLED)
        .iter()
        .any(|(_, params)| params.get("requestId").map(Id::of) == request.id)
}
