//! The order of the handshake.

use super::{
    answer,
    between::Between,
    early::{Asked, Early},
    knows_order,
    odd::{Odd, Running},
};
use crate::cases::prelude::*;

pub(super) const CASES: &[Case] = &[
    NOTHING_BEFORE_INITIALIZE,
    NO_REQUESTS_BEFORE_INITIALIZED,
    SERVES_AFTER_INITIALIZED,
    REQUEST_BEFORE_INITIALIZED_ANSWERED,
    EARLY_REQUEST_REFUSED,
    EARLY_REQUEST_ANSWERED,
    EARLY_REQUEST_HARMLESS,
];

const NOTHING_BEFORE_INITIALIZE: Case = Case::rule(
    Clause {
        id: "lifecycle/nothing-before-initialize",
        title: "Nothing but pings and logs comes before initialize",
        statement: "Until the client's initialize request the server sends neither requests, pings \
            excepted, nor notifications other than log messages.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "greeting-notification",
    },
    Advice {
        why: "Clients that wait for the answer to `initialize` take whatever comes first for it, \
            or fail.",
        how: "Everything that comes in a session before the result of `initialize` is read; \
            pings and log messages are free.",
        mend: "Register listeners and send notifications once the client has said \
            `notifications/initialized`.",
    },
    Rule {
        subject: |event, past| {
            // What follows a premature `notifications/initialized` was provoked. Where the client
            // was not seen to begin, the session may be long open.
            past.initialized.is_none()
                && !past.partial
                && !past.ready
                && (call(event).is_some() || answer::result(event, past).is_some())
        },
        holds: |event, past| {
            let Some(message) = call(event) else {
                return Ok(());
            };
            match (message.kind(), message.method.as_deref()) {
                (Kind::Request, Some("ping"))
                | (Kind::Notification, Some("notifications/message")) => Ok(()),
                (kind, method) => broken_by(
                    format!(
                        "the {} `{}` comes before the answer to `initialize`",
                        if kind == Kind::Request {
                            "request"
                        } else {
                            "notification"
                        },
                        escaped(method.unwrap_or_default())
                    ),
                    message,
                    past,
                ),
            }
        },
        unseen: "no session was seen from its `initialize` to the answer",
    },
);

const NO_REQUESTS_BEFORE_INITIALIZED: Case = Case::probe(
    Clause {
        id: "lifecycle/no-requests-before-initialized",
        title: "No server requests before notifications/initialized",
        statement: "Between the answer to initialize and the client's notifications/initialized the \
            server sends no requests but pings.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "requests-before-initialized",
    },
    Advice {
        why: "The client may not be ready to answer, and drop the request or fail.",
        how: "With roots, sampling and elicitation declared the client waits for the \
            quiet window between the answer to `initialize` and `notifications/initialized`. No \
            request may come until then, pings apart.",
        mend: "Ask for roots in the handler of `notifications/initialized`, not in that of \
            `initialize`.",
    },
    Stage::Unopened("between"),
    |s| {
        Box::pin(async {
            knows_order(s)?;
            let between = s.held::<Between>().await?;
            match &between.rest()?.premature {
                None => Ok(()),
                Some((at, request)) => violated_by(
                    format!(
                        "the server sends `{}` before `notifications/initialized`",
                        escaped(request.method.as_deref().unwrap_or_default())
                    ),
                    vec![Excerpt::of_message(*at, request)],
                ),
            }
        })
    },
);

const SERVES_AFTER_INITIALIZED: Case = Case::probe(
    Clause {
        id: "lifecycle/serves-after-initialized",
        title: "The server serves once it is initialized",
        statement: "After the answer to initialize and the client's notifications/initialized normal \
            operation begins: requests are answered with results.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "not-ready-after-initialized",
    },
    Advice {
        why: "A client asks for the lists at once. A server that is not ready then looks as if \
            it offered nothing.",
        how: "`notifications/initialized` and a list request of a declared capability (a ping \
            where there is none), in one write over stdio; the request has to be answered with \
            a result.",
        mend: "Be ready when `initialize` is answered, and handle messages in the order in which \
            they come.",
    },
    Stage::Unopened("odd"),
    |s| {
        Box::pin(async {
            let odd = s.held::<Odd>().await?;
            let running = running(&odd)?;
            let (method, reply) = (running.method, &running.reply);
            match &running.later {
                None => Ok(()),
                Some(later) if later.same => violated(format!(
                    "`{method}` right behind `notifications/initialized` {reply}, though it is \
                     served later"
                )),
                Some(later) if later.other => unverified(format!(
                    "`{method}` {reply}, whenever it is asked; other lists are served"
                )),
                Some(_) => violated(format!("after the handshake `{method}` {reply}")),
            }
        })
    },
);

/// What followed a plain handshake.
pub(super) fn running(odd: &Odd) -> Result<&Running, Stop> {
    match &odd.running {
        Some(running) => Ok(running),
        None => unverified("the handshake failed, see lifecycle/initialize-answered"),
    }
}

const REQUEST_BEFORE_INITIALIZED_ANSWERED: Case = Case::probe(
    Clause {
        id: "lifecycle/request-before-initialized-answered",
        title: "A request sent before initialized is not lost",
        statement: "A request that arrives after the answer to initialize but before \
            notifications/initialized is answered, with a result, with an error, or late.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "pre-initialized-request-lost",
    },
    Advice {
        why: "The client waits for an answer that never comes.",
        how: "After the answer to `initialize` comes a list request of a declared capability, \
            then `notifications/initialized`, then a ping. The request may be answered in any \
            way, also late.",
        mend: "Answer every request: serve it, keep it until the session is initialized, or \
            refuse it.",
    },
    Stage::Unopened("between"),
    |s| {
        Box::pin(async {
            let between = s.held::<Between>().await?;
            let rest = between.rest()?;
            match (rest.reply.is_silence(), rest.sentinel.is_result()) {
                (false, _) => Ok(()),
                (true, true) => violated(format!(
                    "`{}` before `notifications/initialized` {}",
                    rest.method, rest.reply
                )),
                (true, false) => {
                    unverified(format!("the `ping` after the handshake {}", rest.sentinel))
                }
            }
        })
    },
);

/// The request that came before `initialize`.
fn asked(early: &Early) -> Result<&Asked, Stop> {
    match &early.asked {
        Some(asked) => Ok(asked),
        None => unverified("the server declares no capability that could be asked for"),
    }
}

const EARLY_REQUEST_REFUSED: Case = Case::probe(
    Clause {
        id: "lifecycle/early-request-refused",
        title: "Features are not served before initialize",
        statement: "Initialization is the first interaction; a feature request that comes before it \
            gets no result.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "serves-before-initialize",
    },
    Advice {
        why: "What the server gives depends on what was negotiated, and here nothing was.",
        how: "A list request comes before `initialize`. It is a hint at most: the text binds the \
            client first.",
        mend: "Refuse requests other than `initialize` and `ping` until the session is \
            initialized.",
    },
    Stage::Unopened("early"),
    |s| {
        Box::pin(async {
            knows_order(s)?;
            let early = s.held::<Early>().await?;
            let asked = asked(&early)?;
            match &asked.reply {
                Reply::Gone(broken) => unverified(format!(
                    "the request is not answered: {broken}, see lifecycle/early-request-harmless"
                )),
                reply if !reply.is_result() => Ok(()),
                // Java keeps the request until the session is initialized.
                _ if !asked.was_first() => unverified("the result came only after the handshake"),
                reply => violated(format!("`{}` before `initialize` {reply}", asked.method)),
            }
        })
    },
);

const EARLY_REQUEST_ANSWERED: Case = Case::probe(
    Clause {
        id: "lifecycle/early-request-answered",
        title: "A request before initialize is not left hanging",
        statement: "A feature request that comes too early is answered in some way.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "early-request-hangs",
    },
    Advice {
        why: "A client that got the order wrong hangs, and its author cannot see why.",
        how: "A list request comes before `initialize`; behind it a handshake and a ping. The \
            request may be answered in any way, also late.",
        mend: "Answer with an error rather than with nothing.",
    },
    Stage::Unopened("early"),
    |s| {
        Box::pin(async {
            knows_order(s)?;
            let early = s.held::<Early>().await?;
            let asked = asked(&early)?;
            match (asked.reply.is_silence(), asked.opening.is_served()) {
                (false, _) => Ok(()),
                (true, true) => violated(format!(
                    "`{}` before `initialize` {}",
                    asked.method, asked.reply
                )),
                (true, false) => unverified(format!(
                    "{}, see lifecycle/early-request-harmless",
                    asked.opening
                )),
            }
        })
    },
);

const EARLY_REQUEST_HARMLESS: Case = Case::probe(
    Clause {
        id: "lifecycle/early-request-harmless",
        title: "A request before initialize does not spoil the handshake",
        statement: "After a feature request that came too early the handshake still works.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "early-request-fatal",
    },
    Advice {
        why: "One request too early, and the server has to be started anew.",
        how: "A list request comes before `initialize`; behind it a handshake and a ping, which \
            have to be served.",
        mend: "Refuse the request and go on waiting for `initialize`.",
    },
    Stage::Unopened("early"),
    |s| {
        Box::pin(async {
            knows_order(s)?;
            let early = s.held::<Early>().await?;
            let asked = asked(&early)?;
            match asked.opening.is_served() {
                true => Ok(()),
                false => violated(format!(
                    "after `{}` before `initialize` {}",
                    asked.method, asked.opening
                )),
            }
        })
    },
);
