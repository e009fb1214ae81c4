//! Who has to be let in, and by which name the server is reached.

use super::{client::*, prelude::*, visitors::*};

pub(super) const CASES: &[Case] = &[
    ORIGIN_ABSENT_SERVED,
    ORIGIN_OWN_SERVED,
    HOST_FOREIGN_REFUSED,
];

const ORIGIN_ABSENT_SERVED: Case = Case::probe(
    Clause {
        id: "streamable-http/origin-absent-served",
        title: "a request without Origin is served",
        statement: "Only a header that is present can be invalid: clients that are no browsers send no \
            Origin and are served.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/transports#security-warning")],
        fault: "http-requires-origin",
    },
    Advice {
        why: "Clients that are no browsers send no Origin; a server that asks for it serves web \
            pages only.",
        how: "Posts `initialize` without Origin and with the server's own origin.",
        mend: "Refuse an Origin that is present and not allowed, and nothing for want of one.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let visitors = held::<Visitors>(s).await?;
            show(s, [&visitors.absent, &visitors.own]);
            let absent = &visitors.absent;
            absent.settled()?;
            if absent.is_refused() && visitors.own.is_served() {
                return violated(format!(
                    "`initialize` without Origin {absent}, with the server's own it is served"
                ));
            }
            absent.control("`initialize` without Origin")
        })
    },
);

const ORIGIN_OWN_SERVED: Case = Case::probe(
    Clause {
        id: "streamable-http/origin-own-served",
        title: "a request with the server's own origin is served",
        statement: "A local server accepts the origin that it is itself reached at.",
        level: Level::May,
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
        fault: "http-rejects-own-origin",
    },
    Advice {
        why: "Tools in a browser that are served from the same place send the server's own \
            origin, and cannot work where it is refused.",
        how: "Posts `initialize` with scheme, host and port of the URL as the Origin.",
        mend: "Put the server's own origins on the list of those that are allowed, with its port.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let visitors = held::<Visitors>(s).await?;
            visitors.local()?;
            let own = &visitors.own;
            show(s, [own]);
            own.settled()?;
            match own.is_refused() {
                true => violated(format!("`initialize` with the server's own origin {own}")),
                false => own.control("`initialize` with the server's own origin"),
            }
        })
    },
);

const HOST_FOREIGN_REFUSED: Case = Case::probe(
    Clause {
        id: "streamable-http/host-foreign-refused",
        title: "a foreign Host is refused on a local server",
        statement: "A server on loopback refuses requests whose Host header names another site.",
        level: Level::May,
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
        fault: "http-ignores-host",
    },
    Advice {
        why: "A page whose name was rebound to this machine sends no Origin on a GET of its own; \
            only the Host shows it then.",
        how: "Posts `initialize` with the Host of a foreign site and no Origin.",
        mend: "Compare Host with the names that the server is meant to be reached by, port \
            included.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let visitors = held::<Visitors>(s).await?;
            let Some(turn) = &visitors.local()?.host else {
                return unverified(
                    "the server is reached over https, where a foreign name has no certificate",
                );
            };
            show(s, [turn]);
            turn.settled()?;
            if turn.is_served() {
                return violated(format!(
                    "`initialize` with the Host of a foreign site {turn}"
                ));
            }
            match turn.is_refused() {
                true => Ok(()),
                false => unverified(format!("`initialize` with a foreign Host {turn}")),
            }
        })
    },
);
