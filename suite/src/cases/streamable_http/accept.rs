//! The head of a post: what it says that it is, and what it says that it accepts.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    JSON_CONTENT_TYPE_PARAMS,
    WRONG_CONTENT_TYPE_REFUSED,
    ACCEPT_FORMS,
    ACCEPT_WILDCARD,
    ACCEPT_INCOMPLETE,
];

const JSON_CONTENT_TYPE_PARAMS: Case = Case::probe(
    Clause {
        id: "streamable-http/json-content-type-params",
        title: "application/json with a charset parameter is accepted",
        statement: "A post labelled application/json; charset=utf-8, or with the type in capitals, is \
            as good as the plain one.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-rejects-json-charset",
    },
    Advice {
        why: "Many HTTP libraries add the parameter by themselves.",
        how: "A `ping` labelled `application/json; charset=utf-8`, then in capitals; the plain \
            form is the control. Capitals that are refused are a remark.",
        mend: "Compare the type without its parameters and without regard to case.",
    },
    Stage::Together("http-posts"),
    |s| {
        Box::pin(async {
            plain(s).await?;
            let label =
                |label: &'static str| move |draft: Draft| draft.header("Content-Type", label);
            let (posted, serves) = ping_with(s, label("application/json; charset=utf-8")).await?;
            if !serves {
                return violated(format!(
                    "a `ping` labelled `application/json; charset=utf-8` {posted}, \
                     though without the parameter it is served"
                ));
            }
            let (posted, serves) = ping_with(s, label("Application/JSON")).await?;
            if !serves {
                s.remark(format!("labelled `Application/JSON` it {posted}"));
            }
            Ok(())
        })
    },
);

const WRONG_CONTENT_TYPE_REFUSED: Case = Case::probe(
    Clause {
        id: "streamable-http/wrong-content-type-refused",
        title: "a post with another content type is refused",
        statement: "A post whose Content-Type is not application/json is refused.",
        level: Level::May,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-accepts-text-plain",
    },
    Advice {
        why: "A web page may send text/plain to any address without asking first, but not \
            application/json: who reads both lets web pages call tools.",
        how: "A `ping` labelled text/plain, then application/x-www-form-urlencoded, without \
            Origin; the plain form is the control.",
        mend: "Answer 415 to any other type.",
    },
    Stage::Together("http-posts"),
    |s| {
        Box::pin(async {
            plain(s).await?;
            for label in ["text/plain", "application/x-www-form-urlencoded"] {
                let (_, serves) = ping_with(s, |draft| draft.header("Content-Type", label)).await?;
                if serves {
                    return violated(format!(
                        "a `ping` labelled `{label}` is served as if it were JSON"
                    ));
                }
            }
            Ok(())
        })
    },
);

/// Forms of the header that say as much as the plain one.
const FORMS: [&str; 4] = [
    "text/event-stream, application/json",
    "application/json,text/event-stream",
    "application/json;q=0.9, text/event-stream;q=0.5",
    "text/html, application/json, text/event-stream, */*;q=0.1",
];

const ACCEPT_FORMS: Case = Case::probe(
    Clause {
        id: "streamable-http/accept-forms",
        title: "an Accept header with both types is honoured in any form",
        statement: "A client that lists both types in Accept has done its part, whatever the order, \
            spacing, weights and further types in the list.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-accept-order-sensitive",
    },
    Advice {
        why: "Order, blanks and weights are the choice of the client's HTTP library.",
        how: "A `ping` with each of four forms of the header; the plain form is the control.",
        mend: "Parse the header as a list of types with parameters, or look for both types in it.",
    },
    Stage::Together("http-posts"),
    |s| {
        Box::pin(async {
            plain(s).await?;
            for form in FORMS {
                let (posted, serves) = ping_with(s, |draft| draft.header("Accept", form)).await?;
                if !serves {
                    return violated(format!("a `ping` with `Accept: {form}` {posted}"));
                }
            }
            Ok(())
        })
    },
);

const ACCEPT_WILDCARD: Case = Case::probe(
    Clause {
        id: "streamable-http/accept-wildcard",
        title: "an Accept of */* is served or refused cleanly",
        statement: "A client has to list both types by name; a server may serve one that sends */* or \
            no Accept header, or refuse it.",
        level: Level::May,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-500-on-wildcard-accept",
    },
    Advice {
        why: "Generic tools send it; a server that fails over it cannot even be looked at.",
        how: "A `ping` with `Accept: */*`, then without the header: served, or refused with a \
            4xx status.",
        mend: "Refuse what you do not serve with 406, and check the header before you work with \
            it.",
    },
    Stage::Together("http-posts"),
    |s| {
        Box::pin(async {
            plain(s).await?;
            let (posted, _) = ping_with(s, |draft| draft.header("Accept", "*/*")).await?;
            handled(&posted, "with `Accept: */*`")?;
            let (posted, _) = ping_with(s, |draft| draft.without("Accept")).await?;
            handled(&posted, "without `Accept`")
        })
    },
);

/// Whether a post got a status, and none that owns up to a failure of the server.
fn handled(posted: &Posted, how: &str) -> Result<(), Stop> {
    match posted.status() {
        Some(status) if status < 500 => Ok(()),
        _ => violated(format!("a `ping` {how} {posted}")),
    }
}

const ACCEPT_INCOMPLETE: Case = Case::probe(
    Clause {
        id: "streamable-http/accept-incomplete",
        title: "an Accept with one of the two types is handled cleanly",
        statement: "A post that accepts only one of the two types is served in that type, or refused \
            with a client error.",
        level: Level::May,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-500-on-partial-accept",
    },
    Advice {
        why: "A client that cannot read one of the types has to learn that from the answer.",
        how: "A `ping` with each of the two types alone: served, or refused with a 4xx status. \
            An answer of the other type is a remark.",
        mend: "Serve it in the type that is accepted, or refuse it with 406.",
    },
    Stage::Together("http-posts"),
    |s| {
        Box::pin(async {
            plain(s).await?;
            for kind in ["application/json", "text/event-stream"] {
                let (posted, serves) = ping_with(s, |draft| draft.header("Accept", kind)).await?;
                handled(&posted, &format!("with `Accept: {kind}`"))?;
                let answered = posted.head.as_ref().ok().and_then(|head| head.media_type());
                if let Some(other) = answered.filter(|answered| serves && answered != kind) {
                    s.remark(format!(
                        "with `Accept: {kind}` it is answered by `{}`",
                        escaped(&other)
                    ));
                }
            }
            Ok(())
        })
    },
);
