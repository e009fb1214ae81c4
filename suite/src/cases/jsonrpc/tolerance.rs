//! What a server does not know and has to let pass.

use super::super::prelude::*;
use crate::session::Newline;

pub(super) const CASES: &[Case] = &[
    EXTRA_MEMBER_TOLERATED,
    EXTRA_PARAMS_TOLERATED,
    FOREIGN_META_TOLERATED,
    RESERVED_META_UNASSUMED,
];

/// A request with something added is served, where the plain one is.
async fn tolerated(
    s: &Talk,
    method: &str,
    add: fn(&Talk, &mut Value),
    what: &str,
) -> Result<(), Stop> {
    let mut request = json!({ "jsonrpc": "2.0", "id": s.fresh_id(), "method": method });
    add(s, &mut request);
    let patience = if method == "ping" {
        Patience::Settle
    } else {
        Patience::Limit
    };
    let reply = s.send(&request, patience).await?;
    reply.uncut()?;
    match reply {
        reply if reply.is_result() => Ok(()),
        // Whatever is asked now finds nobody: the plain one has to be served elsewhere.
        reply @ Reply::Gone(_) => {
            let other = s.another()?;
            let opened = other.open(Newline::Lf).await.is_ok();
            match opened && other.ask(method, Value::Null).await?.is_result() {
                true => violated(format!(
                    "`{method}` with {what} {reply}, without it is served"
                )),
                false => unverified(format!(
                    "`{method}` {reply}, and is not served without {what} either"
                )),
            }
        }
        reply => match s.ask(method, Value::Null).await?.is_result() {
            true => violated(format!(
                "`{method}` with {what} {reply}, without it is served"
            )),
            false => unverified(format!("`{method}` is not served without {what} either")),
        },
    }
}

const EXTRA_MEMBER_TOLERATED: Case = Case::probe(
    Clause {
        id: "jsonrpc/extra-member-tolerated",
        title: "Unknown top-level members are ignored",
        statement: "A request with an additional top-level member is a valid request and is served.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/index#schema")],
        fault: "extra-member-dropped",
    },
    Advice {
        why: "Gateways and tracers add members of their own; a request that is dropped for it \
            hangs its caller.",
        how: "A ping with the additional member `x-conform`; the control is one without it.",
        mend: "Ignore members that you do not know. A schema that is strict at the top of a \
            message refuses them.",
    },
    Stage::Shared,
    |s| {
        Box::pin(tolerated(
            s,
            "ping",
            |_, request| request["x-conform"] = json!(1),
            "an unknown member",
        ))
    },
);

const EXTRA_PARAMS_TOLERATED: Case = Case::probe(
    Clause {
        id: "jsonrpc/extra-params-tolerated",
        title: "Unknown params members are ignored",
        statement: "A request with params that its method does not know is served.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/index#schema")],
        fault: "extra-params-refused",
    },
    Advice {
        why: "Later revisions add params; a server that refuses them fails with every newer \
            client.",
        how: "A ping, and where tools are declared a `tools/list`, with a param that nobody \
            knows; the control is the same without it.",
        mend: "Ignore params that you do not know.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let add = |_: &Talk, request: &mut Value| {
                request["params"] = json!({ "conformUnknown": { "a": [1] } });
            };
            tolerated(s, "ping", add, "an unknown param").await?;
            if s.session.declares("tools") {
                tolerated(s, "tools/list", add, "an unknown param").await?;
            }
            Ok(())
        })
    },
);

const FOREIGN_META_TOLERATED: Case = Case::probe(
    Clause {
        id: "jsonrpc/foreign-meta-tolerated",
        title: "Foreign _meta keys do not break a request",
        statement: "Metadata keys that a server does not know, with or without a prefix, do not change \
            the outcome of a request.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/index#schema"),
            (V2025_06_18, "basic/index#general-fields"),
        ],
        fault: "foreign-meta-refused",
    },
    Advice {
        why: "Clients, gateways and tracers put keys of their own into `_meta`; that is what it \
            is for.",
        how: "A ping with two keys in `_meta` that nobody knows; the control is one without \
            them.",
        mend: "Ignore keys that you do not know.",
    },
    Stage::Shared,
    |s| {
        Box::pin(tolerated(
            s,
            "ping",
            |_, request| {
                let meta = json!({ "com.example.conform/x": { "a": 1 }, "bare": [true] });
                request["params"] = json!({ "_meta": meta });
            },
            "foreign keys in `_meta`",
        ))
    },
);

const RESERVED_META_UNASSUMED: Case = Case::probe(
    Clause {
        id: "jsonrpc/reserved-meta-unassumed",
        title: "Unknown keys in the reserved _meta namespace are harmless",
        statement: "A server makes no assumption about values at reserved keys that its revision does \
            not define; such a key does not break a request.",
        level: Level::MustNot,
        levels: &[],
        since: V2025_06_18,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_06_18, "basic/index#general-fields")],
        fault: "reserved-meta-refused",
    },
    Advice {
        why: "Later revisions and extensions define more keys there; a server that refuses them \
            fails with every newer client.",
        how: "A ping with a random key under io.modelcontextprotocol/ in `_meta`; the control is \
            one without it.",
        mend: "Ignore reserved keys that your revision does not define.",
    },
    Stage::Shared,
    |s| {
        Box::pin(tolerated(
            s,
            "ping",
            |s, request| {
                let key = format!("io.modelcontextprotocol/conform-{}", s.nonce());
                request["params"] = json!({ "_meta": { key: [1, null] } });
            },
            "an unknown key in the reserved namespace of `_meta`",
        ))
    },
);
