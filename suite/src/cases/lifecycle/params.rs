//! What `initialize` may contain.

use super::{early::Early, odd::Odd};
use crate::cases::prelude::*;

pub(super) const CASES: &[Case] = &[
    UNKNOWN_CAPABILITIES_ACCEPTED,
    UNKNOWN_INIT_MEMBERS_TOLERATED,
    BARE_CLIENT_HARMLESS,
];

const UNKNOWN_CAPABILITIES_ACCEPTED: Case = Case::probe(
    Clause {
        id: "lifecycle/unknown-capabilities-accepted",
        title: "Unknown client capabilities are no obstacle",
        statement: "The set of client capabilities is open; a server accepts an initialize request \
            with capabilities that it does not know.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#capability-negotiation")],
        fault: "unknown-client-capability-refused",
    },
    Advice {
        why: "Clients of newer revisions declare what older servers have never heard of; they \
            are locked out.",
        how: "`initialize` declares an unknown capability, an experimental one, unknown members \
            of known ones and those of newer revisions.",
        mend: "Ignore what you do not know in `capabilities`; parse it without a closed list of \
            members.",
    },
    Stage::Unopened("odd"),
    |s| {
        Box::pin(async {
            let reply = &s.held::<Odd>().await?.capabilities;
            match reply.is_result() {
                true => Ok(()),
                false => violated(format!("`initialize` with unknown capabilities {reply}")),
            }
        })
    },
);

const UNKNOWN_INIT_MEMBERS_TOLERATED: Case = Case::probe(
    Clause {
        id: "lifecycle/unknown-init-members-tolerated",
        title: "Unknown members of initialize are no obstacle",
        statement: "Additional members in params and in clientInfo (title, icons, websiteUrl, \
            anything) do not make initialize fail.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "extra-initialize-member-refused",
    },
    Advice {
        why: "Clients of newer revisions say more of themselves than older servers know; they \
            are locked out.",
        how: "`initialize` has an unknown member in its params, and `clientInfo` has the members \
            of newer revisions and an unknown one.",
        mend: "Ignore members that you do not know; parse `params` and `clientInfo` without a \
            closed list.",
    },
    Stage::Unopened("odd"),
    |s| {
        Box::pin(async {
            let reply = &s.held::<Odd>().await?.members;
            match reply.is_result() {
                true => Ok(()),
                false => violated(format!("`initialize` with unknown members {reply}")),
            }
        })
    },
);

const BARE_CLIENT_HARMLESS: Case = Case::probe(
    Clause {
        id: "lifecycle/bare-client-harmless",
        title: "A client without capabilities is served or refused, not dropped",
        statement: "If a server cannot work with a client that declares nothing, it says so with an \
            error; it does not hang or crash.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#error-handling")],
        fault: "bare-client-fatal",
    },
    Advice {
        why: "Many clients declare nothing. A server that asks them for roots all the same, and \
            stumbles over the refusal, is of no use to them.",
        how: "A handshake with `capabilities` of `{}`, then a ping. An error that answers \
            `initialize` is right too.",
        mend: "Ask the client only for what it declared, and handle errors in the handler of \
            `notifications/initialized`.",
    },
    Stage::Unopened("early"),
    |s| {
        Box::pin(async {
            let bare = &s.held::<Early>().await?.bare;
            match bare.is_served() || bare.initialize.is_refusal() {
                true => Ok(()),
                false => violated(format!("with a client that declares nothing {bare}")),
            }
        })
    },
);
