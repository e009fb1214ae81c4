//! Pings, both ways.

use std::time::Duration;

use super::{
    prelude::*,
    slow::{self, Calls, Outcome, Slow},
};
use crate::talk::{Call, Waiting};

pub(super) const CASES: &[Case] = &[
    ANSWERED,
    EMPTY_RESULT,
    WITH_PARAMS,
    BEFORE_INITIALIZED,
    BEFORE_INITIALIZE,
    DURING_REQUEST,
    FLOOD,
];

const ANSWERED: Case = Case::probe(
    Clause {
        id: "utilities/ping-answered",
        title: "ping is answered with a result",
        statement: "A ping request is answered with a success.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/utilities/ping#behavior-requirements")],
        fault: "ping-method-not-found",
    },
    Advice {
        why: "Clients tell a slow server from a dead one by it, and close the connection of one \
            that fails.",
        how: "Sends `ping` without params after the handshake and waits for its answer.",
        mend: "Answer `ping` with `{}`. SDKs do it by themselves; a server written by hand needs \
            a handler, and no capability to declare.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let reply = s.serves().await?;
            if reply.is_result() {
                return Ok(());
            }
            violated(format!("a ping {reply}"))
        })
    },
);

const EMPTY_RESULT: Case = Case::probe(
    Clause {
        id: "utilities/ping-empty-result",
        title: "The result of ping is empty",
        statement: "The result of ping is an object without members of its own.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/utilities/ping#behavior-requirements")],
        fault: "ping-result-pong",
    },
    Advice {
        why: "Clients with strict types refuse what they do not expect, and take the server for \
            dead.",
        how: "Sends `ping`, and looks at the results of all pings of the run: `_meta` is the \
            only member that a result may have.",
        mend: "Answer with `{}`; say how the server is in a tool or a resource.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let reply = s.serves().await?;
            if reply.members().is_some() {
                // The rule looks at all of them.
                return Ok(());
            }
            unverified(format!("a ping {reply}"))
        })
    },
)
.with_rule(Rule {
    subject: |event, past| ping_result(event, past).is_some(),
    holds: |event, past| {
        let Some(result) = ping_result(event, past) else {
            return Ok(());
        };
        // Any result may carry `_meta`, so empty cannot mean `{}` to the byte.
        match result.result.keys().find(|key| *key != "_meta") {
            None => Ok(()),
            Some(key) => broken_by(
                format!("the result of a ping has a member `{key}`"),
                result.message,
                past,
            ),
        }
    },
    unseen: "no ping was answered with a result object",
});

/// The result of a ping of ours.
struct PingResult<'a> {
    message: &'a Message,
    result: &'a serde_json::Map<String, Value>,
}

fn ping_result<'a>(event: &Event<'a>, past: &Past) -> Option<PingResult<'a>> {
    let message = response(event)?;
    let asked = past.client.asked(message)?;
    if &*asked.method != "ping" {
        return None;
    }
    let result = message.result()?.as_object()?;
    Some(PingResult { message, result })
}

const WITH_PARAMS: Case = Case::probe(
    Clause {
        id: "utilities/ping-with-params",
        title: "ping with params is answered",
        statement: "A ping with an empty params object or with metadata is answered like one without.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/utilities/ping#message-format")],
        fault: "ping-refuses-params",
    },
    Advice {
        why: "Many clients send `params` with every request; to a server that refuses them it \
            looks as if it were dead.",
        how: "Sends `ping` with empty params, with an empty `_meta` and with a progress token; \
            the control is a ping without params.",
        mend: "Accept `params` in `ping` and ignore what is in them.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let plain = s.serves().await?;
            if !plain.is_result() {
                return unverified(format!("a ping {plain}, see utilities/ping-answered"));
            }
            for params in [json!({}), json!({ "_meta": {} })] {
                let shown = params.to_string();
                let reply = s.ask("ping", params).await?;
                if !reply.is_result() {
                    return violated(format!("a ping with params {shown} {reply}"));
                }
            }
            let token = s.session.fresh_id("ping");
            let params = json!({ "_meta": { "progressToken": token } });
            let reply = s.ask("ping", params).await?;
            if reply.is_result() {
                return Ok(());
            }
            // With metadata it is answered, so it is the token that is refused.
            unverified(format!(
                "a ping with a progress token {reply}, see utilities/progress-token-harmless"
            ))
        })
    },
);

/// Pings around the handshake, in one session as long as it holds.
struct Early {
    /// What became of a ping in front of `initialize`.
    first: Reply,
    /// What became of the handshake behind it.
    after_first: Handshake,
    /// The handshake without that ping, where the one behind it failed.
    plain: Option<Handshake>,
    /// A handshake without any ping, where that failed as well.
    bare: Option<Handshake>,
}

/// A handshake, with a ping in the middle or without.
struct Handshake {
    initialize: Reply,
    /// What had become of the ping when `initialized` was sent.
    before: Option<Reply>,
    /// What had become of it when the session was open.
    after: Option<Reply>,
    /// What became of a ping in the open session.
    open: Option<Reply>,
}

impl Handshake {
    fn is_whole(&self) -> bool {
        self.open.as_ref().is_some_and(Reply::is_result)
    }
}

impl Conversation for Early {
    async fn hold(s: &Talk) -> Result<Early, Stop> {
        let mut first = begin_ping(s).await?;
        // A server that waits for more than this is not read yet.
        let mut reply = s.within(&mut first, s.session.limits.quiet).await;
        let after_first = handshake(s, true).await?;
        if reply.is_none() {
            reply = s.within(&mut first, s.session.limits.quiet).await;
        }
        let plain = match after_first.is_whole() {
            true => None,
            false => Some(handshake(&s.another()?, true).await?),
        };
        let bare = match &plain {
            Some(plain) if !plain.is_whole() => Some(handshake(&s.another()?, false).await?),
            _ => None,
        };
        Ok(Early {
            first: reply.unwrap_or(Reply::Silent),
            after_first,
            plain,
            bare,
        })
    }
}

async fn begin_ping(s: &Talk) -> Result<Waiting, Stop> {
    let id = s.fresh_id();
    s.begin(s.ping(&id).as_bytes(), Some(Id::Text(id))).await
}

async fn handshake(s: &Talk, pings: bool) -> Result<Handshake, Stop> {
    let initialize = s.say_initialize(s.initialize_params()).await?;
    if !initialize.is_result() {
        return Ok(Handshake {
            initialize,
            before: None,
            after: None,
            open: None,
        });
    }
    // A sentinel would be a ping itself, so in this phase only time tells silence.
    let (mut ping, mut before, mut after) = (None, None, None);
    if pings {
        let ping = ping.insert(begin_ping(s).await?);
        before = s.within(ping, s.session.limits.answer).await;
    }
    s.say_initialized().await.ok();
    let open = s.serves().await?;
    if let Some(ping) = &mut ping {
        after = s.within(ping, Duration::ZERO).await;
    }
    Ok(Handshake {
        initialize,
        before,
        after,
        open: Some(open),
    })
}

const BEFORE_INITIALIZED: Case = Case::probe(
    Clause {
        id: "utilities/ping-before-initialized",
        title: "ping is answered between initialize and initialized",
        statement: "Pings are exempt from the order of the handshake: one that comes after the answer \
            to initialize, before notifications/initialized, is answered promptly.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/utilities/ping#behavior-requirements")],
        fault: "ping-deferred-until-initialized",
    },
    Advice {
        why: "A client that checks the connection while it prepares itself takes the server for \
            dead.",
        how: "In a session of its own a ping follows the answer to `initialize`; \
            `notifications/initialized` is sent when the ping has been answered, or is not, and \
            another ping. Where that fails the control is a handshake without the first one.",
        mend: "Let `ping` pass whatever waits for `notifications/initialized`.",
    },
    Stage::Unopened("pings"),
    |s| {
        Box::pin(async {
            let early = s.held::<Early>().await?;
            let seen = early.plain.as_ref().unwrap_or(&early.after_first);
            if !seen.initialize.is_result() {
                return unverified(format!("`initialize` {}", seen.initialize));
            }
            match (&seen.before, &seen.after, &seen.open) {
                (Some(before), ..) if before.is_result() => Ok(()),
                (_, _, Some(open)) if !open.is_result() => {
                    if !early.bare.as_ref().is_some_and(Handshake::is_whole) {
                        return unverified(format!("a ping behind `initialized` {open}"));
                    }
                    violated(format!(
                        "a ping behind `initialized` {open} after one between the answer to \
                         `initialize` and that, and is answered without it"
                    ))
                }
                (Some(Reply::Refused(refusal)), ..) if refusal.says_nothing() => unverified(
                    format!("a ping is refused with HTTP status {}", refusal.status),
                ),
                (Some(before), ..) => violated(format!(
                    "a ping between the answer to `initialize` and `initialized` {before}"
                )),
                (None, Some(_), _) => violated("a ping is held back until `initialized` has come"),
                (None, None, _) => violated(
                    "a ping between the answer to `initialize` and `initialized` is not answered",
                ),
            }
        })
    },
);

const BEFORE_INITIALIZE: Case = Case::probe(
    Clause {
        id: "utilities/ping-before-initialize",
        title: "ping before initialize is answered or refused",
        statement: "A ping that comes as the very first message gets an answer, and the handshake \
            works afterwards.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/utilities/ping#behavior-requirements")],
        fault: "first-ping-fatal",
    },
    Advice {
        why: "Launchers and proxies look whether a server is up before a client speaks to it; \
            one that ends at this is never used.",
        how: "In a session of its own a ping is the very first message; the handshake follows, \
            and another ping. The control is a handshake without the ping.",
        mend: "Answer a ping at any time, or refuse it with an error, and go on.",
    },
    Stage::Unopened("pings"),
    |s| {
        Box::pin(async {
            let early = s.held::<Early>().await?;
            if let Some(plain) = &early.plain {
                if !plain.is_whole() {
                    return unverified("the handshake fails without a ping in front of it as well");
                }
                if let Some(open) = &early.after_first.open {
                    return violated(format!(
                        "a ping behind a handshake that a ping preceded {open}"
                    ));
                }
                return violated(format!(
                    "`initialize` {} when a ping precedes it",
                    early.after_first.initialize
                ));
            }
            if early.first.is_silence() {
                return violated("a ping as the first message is not answered");
            }
            Ok(())
        })
    },
);

const DURING_REQUEST: Case = Case::probe(
    Clause {
        id: "utilities/ping-during-request",
        title: "ping is answered while a request is in progress",
        statement: "A running tool call does not delay the answer to a ping.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tools"), Gate::Met("slow-tool")],
        anchors: &[(V2024_11_05, "basic/utilities/ping#behavior-requirements")],
        fault: "ping-blocked-by-tool-call",
    },
    Advice {
        why: "A client that gets no pong while a tool works gives the connection up, and the \
            work with it.",
        how: "Calls the slow tool and sends `ping` at once; the ping has to be answered first. \
            Only a tool that takes three seconds or more can show that it is not, and only if \
            it does so twice.",
        mend: "Run tools beside the loop that reads messages: `async` handlers that await, or a \
            thread for those that block.",
    },
    Stage::Together("slow"),
    |s| {
        Box::pin(async {
            s.leave_floor();
            let slow = s.scene::<Slow>().await?;
            let calls = slow.calls()?;
            if let Some(took) = overtaken(calls)? {
                long_enough(took)?;
                // What happens once may be chance.
                let took = second_trial(s, slow.tool()?).await?;
                if let Some(took) = took {
                    long_enough(took)?;
                    return violated(format!(
                        "a ping is answered only after a tool call of {:.1} s, twice",
                        took.as_secs_f32()
                    ));
                }
            }
            Ok(())
        })
    },
);

/// A tool that takes less may end by chance before the ping is answered.
fn long_enough(took: Duration) -> Result<(), Stop> {
    if took >= Duration::from_secs(3) {
        return Ok(());
    }
    unverified(format!(
        "the ping was answered after the tool, which took {:.1} s only; one of 3 s or more would tell",
        took.as_secs_f32()
    ))
}

/// How long the longest of the calls took that were answered before the ping was.
fn overtaken(calls: &Calls) -> Result<Option<Duration>, Stop> {
    let (Some(ping), true) = (calls.ping.at(), calls.ping.is_result()) else {
        return unverified("the ping was not answered with a result, see utilities/ping-answered");
    };
    let tools = [&calls.other, &calls.integer, &calls.yardstick];
    let sooner = tools
        .into_iter()
        .filter(|call| call.at().is_some_and(|at| at < ping));
    Ok(sooner.filter_map(Outcome::took).max())
}

/// Calls the tool once more with a ping behind it: how long it took, if it was answered first.
async fn second_trial(s: &Talk, tool: &Call) -> Result<Option<Duration>, Stop> {
    let mut call = slow::begin_call(s, json!(s.fresh_id()), tool.params()).await?;
    let mut ping = begin_ping(s).await?;
    let limit = s.session.limits.answer * 2;
    let answered = s.within(&mut ping, limit).await;
    let called = s.within(&mut call, limit).await;
    match (answered, called) {
        (Some(Reply::Answer(pong)), Some(Reply::Answer(result))) if result.at < pong.at => {
            Ok(Some(result.at.saturating_sub(call.begun())))
        }
        (Some(_), _) => Ok(None),
        (None, _) => unverified("the second ping was not answered"),
    }
}

/// More pings than these in the window are a burden.
const PINGS: usize = 20;
const WINDOW: Duration = Duration::from_secs(10);

const FLOOD: Case = Case::rule(
    Clause {
        id: "utilities/ping-flood",
        title: "The server does not ping excessively",
        statement: "The server avoids pinging so often that it burdens the network.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(
            V2024_11_05,
            "basic/utilities/ping#implementation-considerations",
        )],
        fault: "ping-flood",
    },
    Advice {
        why: "Each ping costs both sides work, on a metered line money, and hides what matters \
            in the logs.",
        how: "Counts the server's pings of every session: more than twenty in ten seconds are \
            too many.",
        mend: "Ping every half minute or so, and only while nothing else is said.",
    },
    Rule {
        subject: |event, past| {
            past.tells_times()
                && call(event).is_some_and(|message| {
                    message.kind() == Kind::Request && message.method.as_deref() == Some("ping")
                })
        },
        holds: |event, past| {
            let Some(message) = call(event) else {
                return Ok(());
            };
            match past.pings.within(WINDOW, past.now) {
                Some(others) if others >= PINGS => broken_by(
                    format!("the server sent more than {PINGS} pings within ten seconds"),
                    message,
                    past,
                ),
                _ => Ok(()),
            }
        },
        unseen: "the server sent no ping whose time is known",
    },
);
