//! What protects a server on this machine from the web pages that its user visits.

use std::{net::SocketAddr, rc::Rc, time::Duration};

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    ORIGIN_VALIDATED_GET,
    ORIGIN_VALIDATED_POST,
    REBINDING_REFUSED,
    HOST_VALIDATED,
    BINDS_LOOPBACK,
];

/// All of them look at one session; none depends on the revision.
const LOCAL: Stage = Stage::Once("http-sse on loopback");
/// An origin that nobody can have allowed by name.
const FOREIGN: &str = "https://mcp-conform.invalid";
/// One that begins as this machine's own does.
const RESEMBLING: &str = "http://localhost.mcp-conform.invalid";
/// So long a connection to another address of this machine is waited for.
const CONNECT: Duration = Duration::from_secs(2);
/// So many of its addresses are tried.
const ADDRESSES: usize = 3;

/// Whether a GET got a stream with an endpoint.
#[derive(Clone, Debug)]
enum Got {
    Stream,
    Refused(String),
}

impl Got {
    fn is_stream(&self) -> bool {
        matches!(self, Got::Stream)
    }
}

/// Asks for a stream of its own, and closes it at once.
async fn get(s: &Talk, draft: Draft) -> Result<Got, Stop> {
    let (posting, head) = s.exchange_http(draft).await?;
    let got = match head {
        Err(reason) => Got::Refused(reason),
        Ok(head) if (300..400).contains(&head.status) => {
            posting.disconnect();
            return unverified(format!(
                "the GET is answered with HTTP status {}, which leads elsewhere",
                head.status
            ));
        }
        Ok(head) if head.status >= 400 => Got::Refused(format!("HTTP status {}", head.status)),
        Ok(head) => match timeout(s.answer_limit(), posting.has_event(names_endpoint)).await {
            Ok(true) => Got::Stream,
            _ => Got::Refused(format!("HTTP status {} and no endpoint", head.status)),
        },
    };
    posting.disconnect();
    Ok(got)
}

/// How the server answers those who ask for a stream from elsewhere.
struct Doors {
    /// As every client does.
    plain: Got,
    /// With a foreign Origin, and with one that resembles an own.
    origins: Vec<(&'static str, Got)>,
    /// With a foreign Host; none over TLS.
    host: Option<Got>,
    /// With a foreign site in both, as after DNS rebinding; none over TLS.
    rebound: Option<Vec<(String, Got)>>,
}

impl Scene for Doors {
    async fn play(s: &Talk) -> Result<Doors, Stop> {
        let url = s.url()?;
        let plain = get(s, s.get()?).await?;
        let mut origins = Vec::new();
        for origin in [FOREIGN, RESEMBLING] {
            origins.push((origin, get(s, s.get()?.header("Origin", origin)).await?));
        }
        let mut doors = Doors {
            plain,
            origins,
            host: None,
            rebound: None,
        };
        if url.scheme() == "https" {
            return Ok(doors);
        }
        let port = url.port_or_known_default().unwrap_or(80);
        let foreign = format!("mcp-conform.invalid:{port}");
        doors.host = Some(get(s, s.get()?.host(&foreign)).await?);
        let mut rebound = Vec::new();
        for host in [
            foreign,
            format!("rebind.localhost.mcp-conform.invalid:{port}"),
        ] {
            let draft = s
                .get()?
                .host(&host)
                .header("Origin", &format!("http://{host}"));
            rebound.push((host, get(s, draft).await?));
        }
        doors.rebound = Some(rebound);
        Ok(doors)
    }
}

/// How the server answers, where it is on loopback and answers at all.
async fn doors(s: &Talk) -> Result<Rc<Doors>, Stop> {
    needs_loopback(s)?;
    let doors = s.scene::<Doors>().await?;
    match &doors.plain {
        Got::Stream => Ok(doors),
        Got::Refused(reason) => unverified(format!(
            "a second stream is not opened for anyone ({reason}), see http-sse/multiple-connections"
        )),
    }
}

fn needs_loopback(s: &Talk) -> Result<(), Stop> {
    match s.is_loopback() {
        true => Ok(()),
        false => not_applicable("the server is not on loopback"),
    }
}

impl Doors {
    /// The foreign origin that is let in.
    fn open_to(&self) -> Option<&'static str> {
        let open = self.origins.iter().find(|(_, got)| got.is_stream());
        open.map(|(origin, _)| *origin)
    }
}

const ORIGIN_VALIDATED_GET: Case = Case::probe(
    Clause {
        id: "http-sse/origin-validated-get",
        title: "a foreign Origin is refused on the SSE endpoint",
        statement: "The server validates the Origin header of the connections to its SSE endpoint, so \
            that a web page of another origin cannot open one.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[Gate::Met("loopback")],
        anchors: &[(V2024_11_05, "basic/transports#security-warning")],
        fault: "sse-get-ignores-origin",
    },
    Advice {
        why: "Any web page that the user visits could otherwise open a session with the server \
            on this machine.",
        how: "The stream is asked for with a foreign Origin, and with one that begins as an own \
            one does; without the header it is served.",
        mend: "Answer with status 403 where there is an Origin header that is not on a list of \
            allowed ones. Many SDKs have the check and leave it off: look for `allowedOrigins` \
            and DNS rebinding protection.",
    },
    LOCAL,
    |s| {
        Box::pin(async {
            let doors = doors(s).await?;
            let Some(origin) = doors.open_to() else {
                return Ok(());
            };
            let host = match &doors.host {
                None => "",
                Some(Got::Stream) => "; a foreign Host is served as well",
                Some(Got::Refused(_)) => {
                    "; a foreign Host is refused, which stops DNS rebinding all the same"
                }
            };
            violated(format!(
                "a GET with `Origin: {origin}` opens a stream{host}"
            ))
        })
    },
);

const ORIGIN_VALIDATED_POST: Case = Case::probe(
    Clause {
        id: "http-sse/origin-validated-post",
        title: "a foreign Origin is refused on the POST endpoint",
        statement: "The server validates the Origin header of messages posted to it.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[Gate::Met("loopback")],
        anchors: &[(V2024_11_05, "basic/transports#security-warning")],
        fault: "sse-post-ignores-origin",
    },
    Advice {
        why: "A web page that learns or guesses the endpoint could otherwise speak in the \
            session.",
        how: "A session is opened without an Origin, and a ping posted with a foreign one; then \
            one without.",
        mend: "Check the Origin header of every request, and not of the GET alone.",
    },
    LOCAL,
    |s| {
        Box::pin(async {
            let doors = doors(s).await?;
            if doors.open_to().is_some() {
                return unverified(
                    "a foreign Origin is served on the stream as well, see \
                     http-sse/origin-validated-get",
                );
            }
            let handshake = s.handshake().await?;
            if !handshake.is_result() {
                return unverified(format!("`initialize` without an Origin {handshake}"));
            }
            let (id, ping) = ping(s);
            let mut waiting = s.begin_http(s.post(&ping)?.header("Origin", FOREIGN), &id);
            let end = waiting.posted(s.answer_limit()).await;
            s.fence().await?;
            match end {
                _ if is_answered_here(s, &mut waiting) => violated(format!(
                    "a ping that is posted with `Origin: {FOREIGN}` is served"
                )),
                Some(PostEnd::Read(exchange)) => {
                    s.note_head(&exchange);
                    violated(format!(
                        "a ping that is posted with `Origin: {FOREIGN}` gets HTTP status {}; \
                         expected 400 or above",
                        exchange.status
                    ))
                }
                Some(PostEnd::Refused(refusal)) if refusal.turns_away() => unverified(format!(
                    "the server answers with HTTP status {}",
                    refusal.status
                )),
                Some(PostEnd::Refused(refusal)) => {
                    if refusal.status >= 500 {
                        s.remark(format!(
                            "a foreign Origin is refused with HTTP status {}, which blames the server",
                            refusal.status
                        ));
                    }
                    Ok(())
                }
                Some(PostEnd::Broke(_)) => Ok(()),
                None => unverified("the POST with a foreign Origin gets no status at all"),
            }
        })
    },
);

const REBINDING_REFUSED: Case = Case::probe(
    Clause {
        id: "http-sse/rebinding-refused",
        title: "a request as DNS rebinding makes it is refused",
        statement: "A request to a local server that shows a foreign site in both Host and Origin is \
            refused.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[Gate::Met("loopback")],
        anchors: &[(V2024_11_05, "basic/transports#security-warning")],
        fault: "sse-allows-rebinding",
    },
    Advice {
        why: "A page whose name was bound to this machine anew sends an Origin that agrees with \
            its Host: to compare the two protects from nothing.",
        how: "The stream is asked for with a foreign site in both Host and Origin.",
        mend: "Compare Host, or Origin, with a list of the server's own names, and not with each \
            other.",
    },
    LOCAL,
    |s| {
        Box::pin(async {
            let doors = doors(s).await?;
            let Some(rebound) = &doors.rebound else {
                return unverified("over https no foreign Host gets through TLS");
            };
            match rebound.iter().find(|(_, got)| got.is_stream()) {
                None => Ok(()),
                Some(_) if doors.open_to().is_some() => unverified(
                    "a foreign Origin is served beside the right Host as well: nothing is checked, \
                     see http-sse/origin-validated-get",
                ),
                Some((host, _)) => violated(format!(
                    "a GET with `Host: {host}` and the Origin that agrees with it opens a stream, \
                     though a foreign Origin beside the right Host is refused"
                )),
            }
        })
    },
);

const HOST_VALIDATED: Case = Case::probe(
    Clause {
        id: "http-sse/host-validated",
        title: "a foreign Host is refused on a local server",
        statement: "A server on loopback refuses requests whose Host header does not name it: the mark \
            of DNS rebinding, which a same-origin GET shows in no other header.",
        level: Level::May,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[Gate::Met("loopback")],
        anchors: &[(V2024_11_05, "basic/transports#security-warning")],
        fault: "sse-ignores-host",
    },
    Advice {
        why: "A page that was bound to this machine anew sends no Origin with its own GET: its \
            Host alone gives it away.",
        how: "The stream is asked for with a foreign Host and without an Origin.",
        mend: "Refuse every Host that is not one of the server's own names. Many SDKs have the \
            check: look for `allowedHosts` and DNS rebinding protection.",
    },
    LOCAL,
    |s| {
        Box::pin(async {
            let doors = doors(s).await?;
            match &doors.host {
                None => unverified("over https no foreign Host gets through TLS"),
                Some(Got::Refused(_)) => Ok(()),
                Some(Got::Stream) => {
                    violated("a GET with `Host: mcp-conform.invalid` opens a stream")
                }
            }
        })
    },
);

const BINDS_LOOPBACK: Case = Case::probe(
    Clause {
        id: "http-sse/binds-loopback",
        title: "a local server listens on loopback only",
        statement: "A server that runs locally binds to the loopback address and not to all \
            interfaces.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[Gate::Met("loopback")],
        anchors: &[(V2024_11_05, "basic/transports#security-warning")],
        fault: "sse-binds-all-interfaces",
    },
    Advice {
        why: "Everybody on the same network could otherwise use the server as its user does.",
        how: "The same address is asked for by way of up to three of this machine's other \
            addresses.",
        mend: "Listen on 127.0.0.1, or ::1, and not on 0.0.0.0; frameworks' defaults are often \
            the latter.",
    },
    LOCAL,
    |s| {
        Box::pin(async {
            needs_loopback(s)?;
            let addresses = own_addresses().unwrap_or_default();
            if addresses.is_empty() {
                return unverified("this machine has no other address");
            }
            let port = s.url()?.port_or_known_default().unwrap_or(80);
            for address in addresses.into_iter().take(ADDRESSES) {
                let draft = s.get()?.connect_to(SocketAddr::new(address, port));
                // A firewall may let nothing come back at all.
                let got = timeout(CONNECT, get(s, draft)).await;
                if matches!(got, Ok(Ok(Got::Stream))) {
                    return violated(format!("a stream is opened on {address}, too"));
                }
            }
            Ok(())
        })
    },
);
