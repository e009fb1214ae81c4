//! Where requests come from, as web pages tell it.

use super::{client::*, prelude::*, visitors::*};

pub(super) const CASES: &[Case] = &[
    REBINDING_REFUSED,
    ORIGIN_FOREIGN_REFUSED,
    ORIGIN_FOREIGN_403,
    ORIGIN_FOREIGN_REFUSED_GET,
    ORIGIN_FOREIGN_REFUSED_DELETE,
    ORIGIN_LOOKALIKE_REFUSED,
    ORIGIN_NULL_REFUSED,
];

/// Whether a visitor got in: with a result, or with a session.
fn got_in(turn: &Turn) -> bool {
    turn.is_served() || (turn.is_success() && turn.header("mcp-session-id").is_some())
}

const REBINDING_REFUSED: Case = Case::probe(
    Clause {
        id: "streamable-http/rebinding-refused",
        title: "a request as DNS rebinding makes it is refused",
        statement: "A request to a local server that shows a foreign site in both Host and Origin is \
            refused.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("loopback")],
        anchors: &[
            (V2025_03_26, "basic/transports#security-warning"),
            (
                V2026_07_28,
                "basic/transports/streamable-http#security-&-endpoint",
            ),
        ],
        fault: "http-allows-rebinding",
    },
    Advice {
        why: "Any web page can point its own name at 127.0.0.1; a local server that does not \
            notice lets the page use every tool that it has.",
        how: "Posts `initialize` with Host and Origin of one foreign site, which agree, and with \
            the right Host and no Origin as the control.",
        mend: "Compare Origin, or Host, with the names that the server is meant to be reached by; \
            a check that the two agree stops nothing.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let visitors = held::<Visitors>(s).await?;
            let local = visitors.local()?;
            if local.rebound.is_empty() {
                return unverified(
                    "the server is reached over https, where a foreign name has no certificate",
                );
            }
            for (host, turn) in &local.rebound {
                turn.settled()?;
                if !turn.is_served() {
                    continue;
                }
                // Nothing is checked: one omission is one failure.
                if got_in(&local.foreign) {
                    return unverified(
                        "a foreign Origin beside the right Host is served as well, see \
                         streamable-http/origin-foreign-refused",
                    );
                }
                show(s, [turn]);
                return violated(format!(
                    "`initialize` with Host and Origin of the foreign site `{host}` {turn}"
                ));
            }
            show(s, local.rebound.iter().map(|(_, turn)| turn));
            match local.rebound.iter().find(|(_, turn)| !turn.is_refused()) {
                Some((host, turn)) => unverified(format!("`initialize` as from `{host}` {turn}")),
                None => Ok(()),
            }
        })
    },
);

const ORIGIN_FOREIGN_REFUSED: Case = Case::probe(
    Clause {
        id: "streamable-http/origin-foreign-refused",
        title: "a foreign Origin is refused",
        statement: "The server validates the Origin header: a post from a page of another origin is \
            not served.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("loopback")],
        anchors: &[(V2025_03_26, "basic/transports#security-warning")],
        fault: "http-ignores-origin",
    },
    Advice {
        why: "A web page that the user happens to visit can post to a server on this machine; \
            the Origin header is how the server tells the page from a client.",
        how: "Posts `initialize` with a foreign Origin and all else valid, and without Origin as \
            the control.",
        mend: "Compare Origin with a list of those that are allowed. TypeScript, C# and Java SDKs \
            do so only if they are told the list; Go and Rust look at Host alone.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let visitors = held::<Visitors>(s).await?;
            let local = visitors.local()?;
            let turn = &local.foreign;
            show(s, [turn]);
            turn.settled()?;
            if got_in(turn) {
                let mut rebound = local.rebound.iter();
                if !local.rebound.is_empty() && rebound.all(|(_, turn)| turn.is_refused()) {
                    s.remark(
                        "a request as DNS rebinding makes it is refused all the same, see \
                              streamable-http/rebinding-refused",
                    );
                }
                return violated(format!("`initialize` with a foreign Origin {turn}"));
            }
            if !turn.is_refused() {
                return unverified(format!("`initialize` with a foreign Origin {turn}"));
            }
            if let Ok(status @ 500..) = turn.status() {
                s.remark(format!(
                    "a foreign Origin is refused with {status}, as if the server had failed"
                ));
            }
            Ok(())
        })
    },
);

const ORIGIN_FOREIGN_403: Case = Case::probe(
    Clause {
        id: "streamable-http/origin-foreign-403",
        title: "a refused Origin is answered with 403",
        statement: "When the Origin header is present and invalid, the status is 403 Forbidden.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("loopback")],
        anchors: &[(V2025_11_25, "basic/transports#security-warning")],
        fault: "http-origin-400",
    },
    Advice {
        why: "403 tells whoever set a proxy or an allow-list up wrongly what is the matter; 400 \
            and 404 send them looking elsewhere.",
        how: "Posts `initialize` with a foreign Origin and looks at the status.",
        mend: "Answer 403 when the Origin header is present and not allowed.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let visitors = held::<Visitors>(s).await?;
            let turn = &visitors.refusing()?.foreign;
            show(s, [turn]);
            match turn.exchange().map(|exchange| exchange.status) {
                Some(403) => Ok(()),
                _ => violated(format!(
                    "`initialize` with a foreign Origin {turn}; expected 403"
                )),
            }
        })
    },
);

const ORIGIN_FOREIGN_REFUSED_GET: Case = Case::probe(
    Clause {
        id: "streamable-http/origin-foreign-refused-get",
        title: "a foreign Origin is refused on GET",
        statement: "The Origin header is validated on all connections, GET streams included.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("loopback"), Gate::Met("get-stream")],
        anchors: &[(V2025_03_26, "basic/transports#security-warning")],
        fault: "http-get-ignores-origin",
    },
    Advice {
        why: "What the server says on its own account is not for a web page either.",
        how: "Sends a GET for a stream with a foreign Origin as the first GET of a session, then \
            a plain one as the control.",
        mend: "Check Origin before the request is routed by its method.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let visitors = held::<Visitors>(s).await?;
            let inside = visitors.refusing()?.inside.as_ref().map_err(Stop::clone)?;
            let (get, plain) = (&inside.get, &inside.plain_get);
            show(s, [get, plain]);
            get.settled()?;
            if get.is_stream() {
                return violated(format!("a GET with a foreign Origin {get}"));
            }
            plain.settled()?;
            if !plain.is_stream() {
                return not_applicable(format!("a GET for a stream {plain}"));
            }
            match get.is_refused() {
                true => Ok(()),
                false => unverified(format!("a GET with a foreign Origin {get}")),
            }
        })
    },
);

const ORIGIN_FOREIGN_REFUSED_DELETE: Case = Case::probe(
    Clause {
        id: "streamable-http/origin-foreign-refused-delete",
        title: "a foreign Origin is refused on DELETE",
        statement: "The Origin header is validated on all connections, the request that ends a session \
            included.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[
            Gate::Met("loopback"),
            Gate::Met("session"),
            Gate::Met("delete"),
        ],
        anchors: &[(V2025_03_26, "basic/transports#security-warning")],
        fault: "http-delete-ignores-origin",
    },
    Advice {
        why: "A web page must not be able to end the session of a client.",
        how: "Sends a DELETE with a foreign Origin, pings in the session, and ends it with a \
            plain DELETE as the control.",
        mend: "Check Origin before the request is routed by its method.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let visitors = held::<Visitors>(s).await?;
            let inside = visitors.refusing()?.inside.as_ref().map_err(Stop::clone)?;
            let Some([foreign, ping, plain]) = &inside.delete else {
                return not_applicable("the server gives no session ids");
            };
            show(s, [foreign, ping, plain]);
            foreign.settled()?;
            ping.settled()?;
            if foreign.is_success() {
                return violated(format!("a DELETE with a foreign Origin {foreign}"));
            }
            if !plain.is_success() && ping.is_served() {
                plain.settled()?;
                return match plain.status()? {
                    405 => not_applicable("the server does not let clients end sessions"),
                    _ => unverified(format!(
                        "a DELETE without Origin {plain}, see streamable-http/delete-2xx-or-405"
                    )),
                };
            }
            match ping.status()? {
                404 => violated(format!(
                    "after a DELETE with a foreign Origin, which {foreign}, a ping in the session {ping}"
                )),
                _ => ping.control("a ping after a DELETE with a foreign Origin"),
            }
        })
    },
);

const ORIGIN_LOOKALIKE_REFUSED: Case = Case::probe(
    Clause {
        id: "streamable-http/origin-lookalike-refused",
        title: "an Origin that only looks local is refused",
        statement: "Validation compares the whole origin: a foreign host that contains a local name is \
            foreign.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("loopback")],
        anchors: &[
            (V2025_03_26, "basic/transports#security-warning"),
            (
                V2026_07_28,
                "basic/transports/streamable-http#security-&-endpoint",
            ),
        ],
        fault: "http-origin-prefix-match",
    },
    Advice {
        why: "Whoever wants to reach a local server registers a name that begins or ends as a \
            trusted one does.",
        how: "Posts `initialize` with five foreign origins that hold a local name, and the right \
            Host.",
        mend: "Parse the Origin and compare scheme, host and port as a whole; no prefix, suffix \
            or substring will do.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let visitors = held::<Visitors>(s).await?;
            let local = visitors.refusing()?;
            for (origin, turn) in &local.lookalikes {
                turn.settled()?;
                if got_in(turn) {
                    show(s, [turn]);
                    return violated(format!(
                        "`initialize` with the foreign Origin `{origin}` {turn}"
                    ));
                }
                if !turn.is_refused() {
                    return unverified(format!("`initialize` with the Origin `{origin}` {turn}"));
                }
            }
            show(s, local.lookalikes.iter().map(|(_, turn)| turn));
            Ok(())
        })
    },
);

const ORIGIN_NULL_REFUSED: Case = Case::probe(
    Clause {
        id: "streamable-http/origin-null-refused",
        title: "an Origin of null is not taken for a trusted one",
        statement: "null, the origin of sandboxed frames and local files, is treated like a foreign \
            origin unless it was allowed on purpose.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("loopback")],
        anchors: &[
            (V2025_03_26, "basic/transports#security-warning"),
            (
                V2026_07_28,
                "basic/transports/streamable-http#security-&-endpoint",
            ),
        ],
        fault: "http-accepts-null-origin",
    },
    Advice {
        why: "Any page can get the origin null by a sandboxed frame; trusting it is trusting \
            every page.",
        how: "Posts `initialize` with `Origin: null`.",
        mend: "Treat `null` like any other origin that is not on the list; allow it only for a \
            desktop shell that loads its page from a file.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let visitors = held::<Visitors>(s).await?;
            let turn = &visitors.refusing()?.null;
            show(s, [turn]);
            turn.settled()?;
            if got_in(turn) {
                return violated(format!("`initialize` with the Origin `null` {turn}"));
            }
            match turn.is_refused() {
                true => Ok(()),
                false => unverified(format!("`initialize` with the Origin `null` {turn}")),
            }
        })
    },
);
