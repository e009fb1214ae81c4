//! Steps of the handshake that come too early, twice, or in a batch.

use super::{
    Opening, early::BEFORE, initialized_and_served, knows_order, odd::Odd, order::running,
};
use crate::cases::prelude::*;

pub(super) const CASES: &[Case] = &[
    EARLY_INITIALIZED_HARMLESS,
    REPEATED_INITIALIZED_HARMLESS,
    REPEATED_INITIALIZE_HARMLESS,
    BATCHED_INITIALIZE_HARMLESS,
];

const EARLY_INITIALIZED_HARMLESS: Case = Case::probe(
    Clause {
        id: "lifecycle/early-initialized-harmless",
        title: "A premature initialized notification does no harm",
        statement: "A notifications/initialized that comes before initialize is ignored.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "early-initialized-fatal",
    },
    Advice {
        why: "One notification too early, and the server has to be started anew.",
        how: "`notifications/initialized` comes before `initialize`; behind it a handshake and a \
            ping, which have to be served.",
        mend: "Ignore a notification that does not fit the state of the session.",
    },
    Stage::Unopened("odd"),
    |s| {
        Box::pin(async {
            knows_order(s)?;
            let premature = &s.held::<Odd>().await?.premature;
            match premature.is_served() {
                true => Ok(()),
                false => violated(format!(
                    "after `notifications/initialized` before `initialize` {premature}"
                )),
            }
        })
    },
);

const REPEATED_INITIALIZED_HARMLESS: Case = Case::probe(
    Clause {
        id: "lifecycle/repeated-initialized-harmless",
        title: "A second initialized notification does no harm",
        statement: "Another notifications/initialized in a running session is ignored.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "second-initialized-fatal",
    },
    Advice {
        why: "A client that reconnects its parts may say it twice; the session should not end \
            for it.",
        how: "`notifications/initialized` once more in a running session, then two pings in \
            turn, which have to be served; nothing may respond to the notification.",
        mend: "Ignore a notification that does not fit the state of the session.",
    },
    Stage::Unopened("odd"),
    |s| {
        Box::pin(async {
            let odd = s.held::<Odd>().await?;
            let again = &running(&odd)?.again;
            if let Some(stray) = again.strays.first() {
                return violated_by(
                    "a second `notifications/initialized` is answered",
                    vec![Excerpt::of_message(stray.at, &stray.message)],
                );
            }
            match again.sentinel.is_result() {
                true => Ok(()),
                false => violated(format!(
                    "the `ping` behind a second `notifications/initialized` {}",
                    again.sentinel
                )),
            }
        })
    },
);

const REPEATED_INITIALIZE_HARMLESS: Case = Case::probe(
    Clause {
        id: "lifecycle/repeated-initialize-harmless",
        title: "A second initialize does no harm",
        statement: "A second initialize in a running session is answered, with a result or an error, \
            and the session goes on.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "second-initialize-fatal",
    },
    Advice {
        why: "A client that begins anew on the same connection should get an answer, and not \
            lose the session.",
        how: "`initialize` with the same params again in a running session; any answer is right. \
            Behind it (and behind `notifications/initialized` if there was a result) comes a \
            ping, which has to be served.",
        mend: "Answer the second request with a result, or with an error that leaves the session \
            as it is.",
    },
    Stage::Unopened("odd"),
    |s| {
        Box::pin(async {
            knows_order(s)?;
            let odd = s.held::<Odd>().await?;
            let running = running(&odd)?;
            if !running.again.sentinel.is_result() {
                return unverified(
                    "the session was broken before, see lifecycle/repeated-initialized-harmless",
                );
            }
            let second = &running.second;
            if second.reply.is_silence() {
                return violated(format!("a second `initialize` {}", second.reply));
            }
            match second.sentinel.is_result() {
                true => Ok(()),
                false => violated(format!(
                    "the `ping` behind a second `initialize` {}",
                    second.sentinel
                )),
            }
        })
    },
);

/// A handshake behind an `initialize` that stood in a batch.
struct Batched {
    opening: Opening,
    /// A ping, where the batch itself has opened the session and the plain handshake came second.
    instead: Option<Reply>,
}

impl Conversation for Batched {
    async fn hold(s: &Talk) -> Result<Batched, Stop> {
        let (id, other) = (s.fresh_id(), s.fresh_id());
        let params = s.initialize_params();
        let initialize =
            json!({ "jsonrpc": "2.0", "id": id, "method": "initialize", "params": params });
        let batch = format!("[{initialize},{}]", s.ping(&other));
        let mut waiting = s.begin(batch.as_bytes(), Some(Id::Text(id))).await?;
        // Many drop the array: what does not come soon is not waited for.
        let reply = s.within(&mut waiting, BEFORE).await;
        s.session.forget_session_id();
        let opening = Opening::play(s, params).await?;
        let opened = reply.is_some_and(|reply| reply.is_result());
        let instead = match opened && opening.initialize.is_error() {
            true => Some(initialized_and_served(s).await?),
            false => None,
        };
        Ok(Batched { opening, instead })
    }
}

const BATCHED_INITIALIZE_HARMLESS: Case = Case::probe(
    Clause {
        id: "lifecycle/batched-initialize-harmless",
        title: "initialize inside a batch does no harm",
        statement: "An initialize request in a batch is a client's error; whatever the server does \
            with it, a plain handshake afterwards works.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_03_26, "basic/lifecycle#initialization")],
        fault: "batched-initialize-fatal",
    },
    Advice {
        why: "One mistake of a client, and the server has to be started anew.",
        how: "A batch of `initialize` and a ping; behind it a plain handshake and a ping, which \
            have to be served, whatever became of the batch.",
        mend: "Refuse an array that holds `initialize`, and go on waiting.",
    },
    Stage::Unopened("batched-initialize"),
    |s| {
        Box::pin(async {
            let batched = s.held::<Batched>().await?;
            // Who takes the batch may refuse to be initialized twice.
            let instead = batched.instead.as_ref().is_some_and(Reply::is_result);
            match batched.opening.is_served() || instead {
                true => Ok(()),
                false => violated(format!("after `initialize` in a batch {}", batched.opening)),
            }
        })
    },
);
