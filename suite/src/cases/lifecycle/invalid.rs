//! `initialize` requests that lack what they need.

use super::Opening;
use crate::cases::prelude::*;

pub(super) const CASES: &[Case] = &[
    MISSING_VERSION_REFUSED,
    INVALID_INITIALIZE_CODE,
    RECOVERS_AFTER_BAD_INITIALIZE,
];

/// What the server made of `initialize` requests that lack what they need.
struct Invalid {
    /// Without `protocolVersion`.
    versionless: Reply,
    /// With empty params.
    empty: Reply,
    /// A valid one behind the empty one, in the same session, unless that was accepted or fatal.
    recovery: Option<Opening>,
}

impl Conversation for Invalid {
    async fn hold(s: &Talk) -> Result<Invalid, Stop> {
        let mut params = s.initialize_params();
        if let Some(members) = params.as_object_mut() {
            members.remove("protocolVersion");
        }
        let versionless = s.say_initialize(params).await?;
        // What the next request comes to must not depend on what this one has done.
        let other = match versionless.is_refusal() {
            true => None,
            false => Some(s.another()?),
        };
        let s = other.as_ref().unwrap_or(s);
        let empty = s.say_initialize(json!({})).await?;
        let recovery = match empty {
            Reply::Gone(_) => None,
            _ if empty.is_result() => None,
            _ => {
                // Over HTTP the refusal may have come with the id of a session.
                s.session.forget_session_id();
                Some(Opening::play(s, s.initialize_params()).await?)
            }
        };
        Ok(Invalid {
            versionless,
            empty,
            recovery,
        })
    }
}

const MISSING_VERSION_REFUSED: Case = Case::probe(
    Clause {
        id: "lifecycle/missing-version-refused",
        title: "initialize without a version is refused",
        statement: "An initialize request without `protocolVersion` is invalid and gets an error.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "init-without-version-accepted",
    },
    Advice {
        why: "Neither side knows which version the other speaks, and nobody says so.",
        how: "`initialize` with `capabilities` and `clientInfo` alone.",
        mend: "Check the params of `initialize`, and answer with -32602 if `protocolVersion` is \
            missing.",
    },
    Stage::Once("invalid-initialize"),
    |s| {
        Box::pin(async {
            let reply = &s.held::<Invalid>().await?.versionless;
            let said = format!("`initialize` without `protocolVersion` {reply}");
            match reply {
                Reply::Gone(_) => unverified(said),
                _ if reply.is_refusal() => Ok(()),
                _ => violated(said),
            }
        })
    },
);

const INVALID_INITIALIZE_CODE: Case = Case::probe(
    Clause {
        id: "lifecycle/invalid-initialize-code",
        title: "An invalid initialize gives -32602",
        statement: "The error for an initialize request with missing params is Invalid params, -32602.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#error-handling")],
        fault: "init-invalid-wrong-code",
    },
    Advice {
        why: "The code tells the author of a client whether its request or the server is at \
            fault.",
        how: "`initialize` without `protocolVersion`, and `initialize` with empty params; the \
            codes of the errors are read.",
        mend: "Answer with -32602 where params are missing. Some SDKs give -32603, which says \
            that the server broke.",
    },
    Stage::Once("invalid-initialize"),
    |s| {
        Box::pin(async {
            let invalid = s.held::<Invalid>().await?;
            let mut errors = 0;
            for (what, reply) in [
                ("without `protocolVersion`", &invalid.versionless),
                ("with empty params", &invalid.empty),
            ] {
                if reply.is_error() && !reply.error_is(-32602) {
                    let code = reply.error_code().unwrap_or(&Value::Null);
                    return violated(format!(
                        "the error for `initialize` {what} has the code {code}, not -32602"
                    ));
                }
                errors += u32::from(reply.is_error());
            }
            match errors {
                0 => unverified("an invalid `initialize` is not answered with an error"),
                _ => Ok(()),
            }
        })
    },
);

const RECOVERS_AFTER_BAD_INITIALIZE: Case = Case::probe(
    Clause {
        id: "lifecycle/recovers-after-bad-initialize",
        title: "A refused initialize can be repeated correctly",
        statement: "After it refused an invalid initialize request the server accepts a valid one.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "bad-initialize-fatal",
    },
    Advice {
        why: "One bad request, and the server has to be started anew.",
        how: "`initialize` with empty params; once that is refused a whole handshake follows in \
            the same session, and a ping.",
        mend: "Begin the session when `initialize` succeeds, not when it arrives.",
    },
    Stage::Once("invalid-initialize"),
    |s| {
        Box::pin(async {
            let invalid = s.held::<Invalid>().await?;
            match (&invalid.recovery, &invalid.empty) {
                (Some(opening), _) if opening.is_served() => Ok(()),
                (Some(opening), _) => {
                    violated(format!("after an `initialize` with empty params {opening}"))
                }
                (None, Reply::Gone(broken)) => violated(format!(
                    "the server does not survive an `initialize` with empty params: {broken}"
                )),
                (None, _) => unverified("`initialize` with empty params is accepted"),
            }
        })
    },
);
