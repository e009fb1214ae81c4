//! What the handshake means for the rest of the session, and for other sessions.

use super::{Opening, knows_order};
use crate::cases::prelude::*;

pub(super) const CASES: &[Case] = &[
    UNDECLARED_METHOD_CODE,
    METHODS_OF_REVISION,
    ANSWERS_REPRODUCIBLE,
    SESSIONS_KEEP_THEIR_VERSION,
];

const UNDECLARED_METHOD_CODE: Case = Case::probe(
    Clause {
        id: "lifecycle/undeclared-method-code",
        title: "Methods of undeclared capabilities give -32601",
        statement: "A request that belongs to a capability the server did not declare is refused with \
            Method not found, -32601.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#capability-negotiation")],
        fault: "undeclared-method-wrong-code",
    },
    Advice {
        why: "Clients try what older servers do not declare, and take -32601 for \"there is \
            none\"; any other code looks like a failure.",
        how: "The simplest request of each capability that the server does not declare. -32601 \
            is right, and so is an empty list.",
        mend: "Answer with -32601 where nothing handles the method.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let mut judged = false;
            for (method, params, list) in undeclared(s) {
                let reply = s.ask(method, params).await?;
                if reply.is_error() && !reply.error_is(-32601) {
                    return violated(format!(
                        "`{method}`, whose capability is not declared, {reply}, not with -32601"
                    ));
                }
                let content = reply.result().and_then(|result| result[list].as_array());
                // Content is support, which is another clause's matter.
                let empty = reply.is_result() && content.is_none_or(Vec::is_empty);
                judged |= reply.is_error() || empty;
            }
            match judged {
                true => Ok(()),
                false => unverified("the server declares all capabilities, or serves them anyway"),
            }
        })
    },
);

/// The simplest request of each capability that the server does not declare, and the member that
/// holds what it lists.
fn undeclared(s: &Talk) -> Vec<(&'static str, Value, &'static str)> {
    let mut all = vec![
        ("tools", "tools/list", Value::Null, "tools"),
        ("prompts", "prompts/list", Value::Null, "prompts"),
        ("resources", "resources/list", Value::Null, "resources"),
        (
            "logging",
            "logging/setLevel",
            json!({ "level": "info" }),
            "",
        ),
    ];
    if s.revision() >= V2025_11_25 {
        all.push(("tasks", "tasks/list", Value::Null, "tasks"));
    }
    all.into_iter()
        .filter(|(capability, ..)| !s.session.declares(capability))
        .map(|(_, method, params, list)| (method, params, list))
        .collect()
}

/// Methods that a server may use, with the revisions that have them.
const OF_SERVERS: [(&str, Revision, Revision); 16] = [
    ("ping", V2024_11_05, V2025_11_25),
    ("roots/list", V2024_11_05, V2025_11_25),
    ("sampling/createMessage", V2024_11_05, V2025_11_25),
    ("elicitation/create", V2025_06_18, V2025_11_25),
    ("tasks/get", V2025_11_25, V2025_11_25),
    ("tasks/list", V2025_11_25, V2025_11_25),
    ("tasks/result", V2025_11_25, V2025_11_25),
    ("tasks/cancel", V2025_11_25, V2025_11_25),
    ("notifications/cancelled", V2024_11_05, V2026_07_28),
    ("notifications/progress", V2024_11_05, V2026_07_28),
    ("notifications/message", V2024_11_05, V2026_07_28),
    ("notifications/resources/updated", V2024_11_05, V2026_07_28),
    (
        "notifications/resources/list_changed",
        V2024_11_05,
        V2026_07_28,
    ),
    ("notifications/tools/list_changed", V2024_11_05, V2026_07_28),
    (
        "notifications/prompts/list_changed",
        V2024_11_05,
        V2026_07_28,
    ),
    ("notifications/tasks/status", V2025_11_25, V2025_11_25),
];

/// The same, where the revision is not the newest to have a handshake.
const LATE_OF_SERVERS: [(&str, Revision, Revision); 2] = [
    (
        "notifications/elicitation/complete",
        V2025_11_25,
        V2025_11_25,
    ),
    (
        "notifications/subscriptions/acknowledged",
        V2026_07_28,
        V2026_07_28,
    ),
];

/// Methods that are the client's alone.
const OF_CLIENTS: [&str; 17] = [
    "initialize",
    "notifications/initialized",
    "notifications/roots/list_changed",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "completion/complete",
    "logging/setLevel",
    "server/discover",
    "subscriptions/listen",
    "tasks/update",
];

/// Why a server may not use the method in the revision, if so. Methods of its own are its business.
fn wrong_with_method(method: &str, revision: Revision) -> Option<String> {
    let mut known = OF_SERVERS.iter().chain(&LATE_OF_SERVERS);
    if let Some((_, since, until)) = known.find(|(known, ..)| *known == method) {
        return match (since..=until).contains(&&revision) {
            true => None,
            false if since == until => Some(format!("`{method}` is of {since}, not of {revision}")),
            false => Some(format!(
                "`{method}` is of {since} to {until}, not of {revision}"
            )),
        };
    }
    OF_CLIENTS
        .contains(&method)
        .then(|| format!("`{method}` is for clients to send"))
}

const METHODS_OF_REVISION: Case = Case::rule(
    Clause {
        id: "lifecycle/methods-of-revision",
        title: "The server sends only methods of the negotiated revision",
        statement: "Requests and notifications of the server use methods that the negotiated revision \
            defines for its side.",
        level: Level::Must,
        levels: &[(V2024_11_05, Level::Should), (V2025_03_26, Level::Should)],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#operation")],
        fault: "future-method-in-old-session",
    },
    Advice {
        why: "A client of the revision that was agreed on does not know the method, and answers \
            with an error or fails.",
        how: "The method of each request and notification that the server sends in a session of \
            the revision is looked up. Methods of its own are free.",
        mend: "Look at the version that was negotiated before you use what is newer.",
    },
    Rule {
        subject: |event, past| past.initialized.is_some() && call(event).is_some(),
        holds: |event, past| {
            let method =
                call(event).and_then(|message| Some((message, message.method.as_deref()?)));
            let Some((message, method)) = method else {
                return Ok(());
            };
            match wrong_with_method(method, past.revision) {
                Some(wrong) => broken_by(wrong, message, past),
                None => Ok(()),
            }
        },
        unseen: "the server sent neither requests nor notifications",
    },
);

/// What of an answer to `initialize` describes the server.
#[derive(PartialEq)]
struct Picture(Value);

impl Picture {
    fn of(result: &Value) -> Picture {
        Picture(json!({
            "protocolVersion": result["protocolVersion"],
            "capabilities": result["capabilities"],
            "serverInfo.name": result["serverInfo"]["name"],
        }))
    }

    /// The picture that a further session gets.
    async fn take(s: &Talk) -> Result<Picture, Stop> {
        let reply = s.say_initialize(s.initialize_params()).await?;
        match reply.result() {
            Some(result) => Ok(Picture::of(result)),
            None => unverified(format!("`initialize` in a further session {reply}")),
        }
    }
}

/// Whether the second of three differs from both others: a server that changes once, as when it is
/// replaced, does not.
fn flaps([first, second, third]: &[Picture; 3]) -> bool {
    first != second && second != third
}

const ANSWERS_REPRODUCIBLE: Case = Case::probe(
    Clause {
        id: "lifecycle/answers-reproducible",
        title: "The same handshake gets the same answer",
        statement: "Two sessions that start with the same initialize request are told the same \
            version, capabilities and server name.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#capability-negotiation")],
        fault: "capabilities-flap",
    },
    Advice {
        why: "Clients remember what a server can do, and what worked yesterday fails today.",
        how: "The same `initialize` in three sessions, one after the other; version, \
            capabilities and name are compared. What differs is looked at in three more before \
            it counts.",
        mend: "Declare what the server can do, not what happens to be loaded at the moment.",
    },
    Stage::Once("reproducible"),
    |s| {
        Box::pin(async {
            let first = Picture::of(&s.first_result());
            let pictures = [
                first,
                Picture::take(s).await?,
                Picture::take(&s.another()?).await?,
            ];
            if !flaps(&pictures) {
                return Ok(());
            }
            let again = [
                Picture::take(&s.another()?).await?,
                Picture::take(&s.another()?).await?,
                Picture::take(&s.another()?).await?,
            ];
            if !flaps(&again) {
                return Ok(());
            }
            let [first, second, _] = pictures;
            differs(
                "the same `initialize` is answered differently from session to session",
                first.0.to_string(),
                second.0.to_string(),
            )
        })
    },
);

const SESSIONS_KEEP_THEIR_VERSION: Case = Case::probe(
    Clause {
        id: "lifecycle/sessions-keep-their-version",
        title: "Sessions with different versions do not disturb each other",
        statement: "The version negotiated in one session stays that of this session when another \
            session negotiates a different one.",
        level: Level::Must,
        levels: &[(V2024_11_05, Level::Should), (V2025_03_26, Level::Should)],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: &[Transport::HttpSse, Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#operation")],
        fault: "negotiated-version-global",
    },
    Advice {
        why: "A client loses its session, or gets messages that it does not know, because \
            another client came.",
        how: "A session is opened in this revision, then one in another that the server speaks; \
            a ping in the first, in the second, and in the first again.",
        mend: "Keep the version that was negotiated with the session, not in a global variable.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            knows_order(s)?;
            let mut other = None;
            // The newer ones name their version with every request.
            for revision in Revision::WITH_HANDSHAKE.into_iter().rev() {
                let spoken = s.offered(revision).await.version() == Some(revision.as_str());
                if spoken && revision != s.revision() {
                    other = Some(revision);
                    break;
                }
            }
            let Some(other) = other else {
                return unverified("the server speaks one revision only");
            };
            let (one, two) = (s.another()?, s.another_in(other)?);
            let opening = Opening::play(&one, one.initialize_params()).await?;
            if !opening.is_served() {
                return unverified(format!("in a further session {opening}"));
            }
            let opening = Opening::play(&two, two.initialize_params()).await?;
            if opening.initialize.is_refusal() {
                return unverified(format!("in a second session beside it {opening}"));
            }
            let reply = one.serves().await?;
            match (reply.is_result(), opening.is_served()) {
                (false, _) => violated(format!(
                    "once another session has negotiated {other} the `ping` in this one {reply}"
                )),
                // The clause is about the first one.
                (true, false) => unverified(format!("in a second session, for {other}, {opening}")),
                (true, true) => Ok(()),
            }
        })
    },
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_belongs_to_its_revisions_and_its_side() {
        for (method, revision, expected) in [
            ("ping", V2024_11_05, true),
            ("elicitation/create", V2025_03_26, false),
            ("elicitation/create", V2025_06_18, true),
            ("notifications/tasks/status", V2025_06_18, false),
            ("notifications/elicitation/complete", V2025_11_25, true),
            ("tools/call", V2025_11_25, false),
            ("com.example/own", V2024_11_05, true),
        ] {
            let wrong = wrong_with_method(method, revision);
            assert_eq!(wrong.is_none(), expected, "{method} {revision}: {wrong:?}");
        }
    }

    #[test]
    fn one_change_is_no_flapping() {
        let pictures = |all: [u32; 3]| all.map(|number| Picture(json!(number)));
        assert!(!flaps(&pictures([1, 1, 1])));
        assert!(!flaps(&pictures([1, 1, 2])));
        assert!(!flaps(&pictures([1, 2, 2])));
        assert!(flaps(&pictures([1, 2, 1])));
        assert!(flaps(&pictures([1, 2, 3])));
    }
}
