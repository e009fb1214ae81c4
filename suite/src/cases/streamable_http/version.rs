//! The header that names the protocol version.

use super::{client::*, prelude::*};

pub(super) const CASES: &[Case] = &[
    VERSION_HEADER_INVALID_400,
    VERSION_HEADER_UNSUPPORTED_400,
    VERSION_HEADER_CHECKED_ON_GET,
    VERSION_HEADER_NEGOTIATED_ACCEPTED,
    VERSION_HEADER_ABSENT_ACCEPTED,
    VERSION_HEADER_NAME_CASE,
];

/// The cases that look at one conversation.
const STAGE: Stage = Stage::Unopened("version-header");

const VERSION: &str = "MCP-Protocol-Version";
/// No version at all.
const INVALID: &str = "not-a-version";
/// Dates that no revision ever had.
const UNSUPPORTED: [&str; 2] = ["1999-12-31", "2999-12-31"];
/// Spellings of the header's name.
const SPELLINGS: [&str; 2] = ["mcp-protocol-version", "MCP-PROTOCOL-VERSION"];

/// H in a session with the version header, without it, and with other values in it.
struct Versions {
    /// `notifications/initialized` with the header, and without it if it was refused.
    initialized: Turn,
    initialized_without: Option<Turn>,
    negotiated: Turn,
    absent: Turn,
    invalid: Turn,
    unsupported: Vec<(&'static str, Turn)>,
    spelled: Vec<(&'static str, Turn)>,
    /// A GET with an invalid version as the first one of its session, and a plain one behind it.
    get: Turn,
    plain_get: Turn,
    is_stateless: bool,
}

impl Conversation for Versions {
    async fn hold(s: &Talk) -> Result<Versions, Stop> {
        let client = Client::open(s).await?;
        let mut initialized_without = None;
        if client.initialized.is_refused() {
            let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
            let without = client.talk.post(&notification)?.without(VERSION);
            initialized_without = Some(client.talk.turn(without).await);
        }
        let with = async |name: &str, value: &str| {
            let draft = client.harmless()?.header(name, value);
            Ok::<_, Stop>(client.talk.turn(draft.raw()).await)
        };
        let negotiated = client.ping().await?;
        let absent = client.talk.turn(client.harmless()?.without(VERSION)).await;
        let invalid = with(VERSION, INVALID).await?;
        let mut unsupported = Vec::new();
        for version in UNSUPPORTED {
            unsupported.push((version, with(VERSION, version).await?));
        }
        let mut spelled = Vec::new();
        for name in SPELLINGS {
            spelled.push((name, with(name, INVALID).await?));
        }
        let get = client.talk.get()?.header(VERSION, INVALID);
        let get = client.talk.turn(get).await;
        get.posting.disconnect();
        let plain_get = client.listen().await?;
        plain_get.posting.disconnect();
        Ok(Versions {
            is_stateless: client.id().is_none(),
            initialized: client.initialized,
            initialized_without,
            negotiated,
            absent,
            invalid,
            unsupported,
            spelled,
            get,
            plain_get,
        })
    }
}

impl Versions {
    /// The case on invalid versions has to hold for those that look closer.
    fn is_checked(&self) -> Result<(), Stop> {
        self.negotiated
            .control("a ping with the negotiated version")?;
        match self.invalid.status()? {
            400 => Ok(()),
            _ => unverified(format!(
                "a ping with an invalid version {}, see streamable-http/version-header-invalid-400",
                self.invalid
            )),
        }
    }
}

/// Whether a request with this version was refused with 400.
fn refused(s: &Talk, version: &str, turn: &Turn) -> Result<(), Stop> {
    show(s, [turn]);
    match turn.status()? {
        400 => Ok(()),
        403 => unverified(format!("a request {turn}")),
        _ => violated(format!(
            "a ping with the protocol version `{version}` {turn}; expected 400"
        )),
    }
}

const VERSION_HEADER_INVALID_400: Case = Case::probe(
    Clause {
        id: "streamable-http/version-header-invalid-400",
        title: "an invalid protocol version header gets 400",
        statement: "A request whose MCP-Protocol-Version is no version at all is answered with 400 Bad \
            Request.",
        level: Level::Must,
        levels: &[],
        since: V2025_06_18,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2025_06_18, "basic/transports#protocol-version-header")],
        fault: "http-ignores-invalid-version",
    },
    Advice {
        why: "A server that overlooks what the header says speaks by rules that the client does \
            not know of.",
        how: "Pings with `MCP-Protocol-Version: not-a-version`, and with the negotiated version \
            as the control.",
        mend: "Look the value up in the list of versions that the server supports, and answer 400 \
            if it is not there.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let versions = held::<Versions>(s).await?;
            versions
                .negotiated
                .control("a ping with the negotiated version")?;
            refused(s, INVALID, &versions.invalid)
        })
    },
);

const VERSION_HEADER_UNSUPPORTED_400: Case = Case::probe(
    Clause {
        id: "streamable-http/version-header-unsupported-400",
        title: "an unsupported protocol version header gets 400",
        statement: "A request whose MCP-Protocol-Version has the form of a version that the server \
            does not support is answered with 400 Bad Request.",
        level: Level::Must,
        levels: &[],
        since: V2025_06_18,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2025_06_18, "basic/transports#protocol-version-header")],
        fault: "http-ignores-unsupported-version",
    },
    Advice {
        why: "A client that speaks a revision which the server does not know has to learn it at \
            once, and not from answers that it misreads.",
        how: "Pings with the versions 1999-12-31 and 2999-12-31, which no revision ever had, and \
            with the negotiated one as the control.",
        mend: "Look the version up among those that are supported; comparing dates lets too much \
            through.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let versions = held::<Versions>(s).await?;
            versions
                .negotiated
                .control("a ping with the negotiated version")?;
            for (version, turn) in &versions.unsupported {
                refused(s, version, turn)?;
            }
            Ok(())
        })
    },
);

const VERSION_HEADER_CHECKED_ON_GET: Case = Case::probe(
    Clause {
        id: "streamable-http/version-header-checked-on-get",
        title: "an invalid protocol version header on a GET gets 400",
        statement: "The rule holds for every request to the endpoint, a GET included.",
        level: Level::Must,
        levels: &[],
        since: V2025_06_18,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("get-stream")],
        anchors: &[(V2025_06_18, "basic/transports#protocol-version-header")],
        fault: "http-get-ignores-version",
    },
    Advice {
        why: "What comes on a stream is read by the rules of one revision; the server has to \
            know of which.",
        how: "Sends a GET with `MCP-Protocol-Version: not-a-version` before any other GET of the \
            session, then a plain one as the control.",
        mend: "Check the header before the request is routed by its method.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let versions = held::<Versions>(s).await?;
            let (get, plain) = (&versions.get, &versions.plain_get);
            // One that was opened in spite of it may stand in the way of the next.
            if !get.is_stream() {
                plain.settled()?;
                if !plain.is_stream() {
                    return not_applicable(format!("a GET for a stream {plain}"));
                }
            }
            versions.is_checked()?;
            show(s, [get]);
            match get.status()? {
                // Without GET in the revision that the server takes it for, no stream is opened.
                400 | 405 => Ok(()),
                403 => unverified(format!("a GET {get}")),
                _ => violated(format!(
                    "a GET with the protocol version `{INVALID}` {get}; expected 400"
                )),
            }
        })
    },
);

const VERSION_HEADER_NEGOTIATED_ACCEPTED: Case = Case::probe(
    Clause {
        id: "streamable-http/version-header-negotiated-accepted",
        title: "the negotiated protocol version is accepted in the header",
        statement: "A request that carries the version that the server itself chose at initialization \
            is not refused for it.",
        level: Level::Must,
        levels: &[],
        since: V2025_06_18,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2025_06_18, "basic/transports#protocol-version-header")],
        fault: "http-rejects-negotiated-version",
    },
    Advice {
        why: "Clients must send the version that was negotiated; a server that refuses it has \
            shut itself off.",
        how: "Opens a session and posts `notifications/initialized` and a ping with the version \
            of the result in the header; what is refused is sent again without it.",
        mend: "Use one list of versions for the handshake and for the header, in gateways in \
            front of the server too.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let versions = held::<Versions>(s).await?;
            show(s, [&versions.initialized, &versions.negotiated]);
            if versions.initialized.status()? == 400 {
                let without = versions.initialized_without.as_ref();
                if let Some(without) = without.filter(|without| without.is_success()) {
                    show(s, [without]);
                    return violated(format!(
                        "`notifications/initialized` with the negotiated version {}, without it it {without}",
                        versions.initialized
                    ));
                }
                return unverified(format!(
                    "`notifications/initialized` {} with and without the version header",
                    versions.initialized
                ));
            }
            if versions.negotiated.status()? == 400 {
                if versions.absent.is_served() {
                    show(s, [&versions.absent]);
                    return violated(format!(
                        "a ping with the negotiated version {}, without it it is served",
                        versions.negotiated
                    ));
                }
                return unverified(format!(
                    "a ping {} with and without the version header",
                    versions.negotiated
                ));
            }
            versions
                .negotiated
                .control("a ping with the negotiated version")
        })
    },
);

const VERSION_HEADER_ABSENT_ACCEPTED: Case = Case::probe(
    Clause {
        id: "streamable-http/version-header-absent-accepted",
        title: "a request without a protocol version header is served",
        statement: "A server that gets no MCP-Protocol-Version header uses what was negotiated, or \
            else assumes 2025-03-26; it does not refuse the request for that.",
        level: Level::Should,
        levels: &[],
        since: V2025_06_18,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2025_06_18, "basic/transports#protocol-version-header")],
        fault: "http-requires-version-header",
    },
    Advice {
        why: "Clients of revisions without the header do not send it, and neither do \
            hand-written ones; the session tells the version all the same.",
        how: "Pings in a session without the header, and with it as the control.",
        mend: "Where the header is missing use the version of the session, or else 2025-03-26.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let versions = held::<Versions>(s).await?;
            let absent = &versions.absent;
            show(s, [absent, &versions.negotiated]);
            versions
                .negotiated
                .control("a ping with the version header")?;
            absent.settled()?;
            if absent.is_served() {
                return Ok(());
            }
            if !absent.is_refused() {
                return absent.control("a ping without the version header");
            }
            // Whoever keeps no sessions and has dropped 2025-03-26 has nothing to go by.
            if versions.is_stateless && absent.text().to_ascii_lowercase().contains("version") {
                return unverified(
                    "the server keeps no sessions to know the version by, and asks for the header",
                );
            }
            violated(format!(
                "a ping without the version header {absent}, with it it is served"
            ))
        })
    },
);

const VERSION_HEADER_NAME_CASE: Case = Case::probe(
    Clause {
        id: "streamable-http/version-header-name-case",
        title: "the version header's name is read without regard to case",
        statement: "mcp-protocol-version and MCP-PROTOCOL-VERSION are the same header as \
            MCP-Protocol-Version.",
        level: Level::Must,
        levels: &[],
        since: V2025_06_18,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2025_06_18, "basic/transports#protocol-version-header")],
        fault: "http-version-header-case",
    },
    Advice {
        why: "HTTP libraries write header names as they like; a server that knows one spelling \
            does not see the version of the other clients.",
        how: "Pings with an invalid version under the names mcp-protocol-version and \
            MCP-PROTOCOL-VERSION: each has to be noticed.",
        mend: "Read headers with the means of the HTTP library, which compare names without \
            regard to case.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let versions = held::<Versions>(s).await?;
            versions.is_checked()?;
            for (name, turn) in &versions.spelled {
                show(s, [turn]);
                match turn.status()? {
                    400 => {}
                    200..300 => {
                        return violated(format!(
                            "an invalid version in the header `{name}` is overlooked: a ping {turn}"
                        ));
                    }
                    _ => return unverified(format!("with `{name}` a ping {turn}")),
                }
            }
            Ok(())
        })
    },
);
