//! What answers at an address over HTTP: the transport that the user named, the other one, both, or
//! no MCP at all. It is asked as the specification has clients tell the transports apart.

use std::{fmt, time::Duration};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    spec::{Revision, Transport},
    tape::{Exchange, names_endpoint, read_value},
    target::{Endpoint, Target},
    transport::{Client, ClientError, Opened, Request, SseFound, SseReader, origin},
};

/// So much of a body is read, in bytes.
const BODY: usize = 64 * 1024;

/// What came of asking.
#[derive(Debug)]
enum Found {
    /// An event stream that names an endpoint.
    HttpSse,
    /// An answer to `initialize`.
    StreamableHttp {
        /// The session that was opened by it.
        session: Option<String>,
    },
    /// Something that a person has to look after.
    Obstacle(Obstacle),
    /// Anything else.
    Unknown,
}

/// Why it cannot be told what the server speaks, or that it speaks no MCP.
#[derive(Debug)]
enum Obstacle {
    Unreachable(String),
    Certificate(String),
    NotTls,
    Credentials,
    Redirect(Url),
    Html,
}

impl fmt::Display for Obstacle {
    /// To stand behind the address: what is in the way, and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Unreachable(reason) => write!(
                f,
                "cannot be reached ({reason}); is the server running, and is that its host and port?"
            ),
            Obstacle::Certificate(reason) => write!(
                f,
                "has a certificate that is not trusted ({reason}); name the one of its issuer with \
                 --cacert PATH, or accept any with --insecure"
            ),
            Obstacle::NotTls => {
                f.write_str("does not speak TLS; is the address http:// in place of https://?")
            }
            Obstacle::Credentials => f.write_str(
                "asks for credentials; give them with --header 'Authorization: Bearer TOKEN'",
            ),
            Obstacle::Redirect(target) => write!(
                f,
                "redirects to {target}, another host, which is not spoken to; if that is the server, \
                 give its address"
            ),
            Obstacle::Html => f.write_str(
                "answers with an HTML page, and not with MCP; is the path right, or is that a login \
                 page in front of the server (--header gives credentials)?",
            ),
        }
    }
}

/// Asks at one address.
pub(super) struct Detective<'a> {
    target: &'a Target,
    endpoint: &'a Endpoint,
    transport: Transport,
    client: &'a Client,
    limit: Duration,
}

impl<'a> Detective<'a> {
    /// For a target over HTTP; each question takes so long at most.
    pub(super) fn new(
        target: &'a Target,
        client: &'a Client,
        limit: Duration,
    ) -> Option<Detective<'a>> {
        let endpoint = target.endpoint()?;
        Some(Detective {
            target,
            endpoint,
            transport: target.transport(),
            client,
            limit,
        })
    }

    /// Why no session could be opened, as far as that is no matter of a clause.
    pub(super) async fn explain(&self) -> Option<String> {
        let own = match self.transport {
            Transport::HttpSse => self.get().await,
            _ => self.post().await,
        };
        match own {
            Found::Obstacle(obstacle) => return Some(format!("{} {obstacle}", self.endpoint)),
            Found::HttpSse if self.transport == Transport::HttpSse => return None,
            Found::StreamableHttp { session } => {
                self.delete(session).await;
                return None;
            }
            _ => {}
        }
        let speaks = self.other().await?;
        Some(format!("{} speaks {speaks}", self.endpoint))
    }

    /// That the other transport is spoken at the address as well.
    pub(super) async fn remark(&self) -> Option<String> {
        let speaks = self.other().await?;
        Some(format!("{} also speaks {speaks}", self.endpoint))
    }

    /// Whether the other transport is spoken: its name, and the command that judges it.
    async fn other(&self) -> Option<String> {
        let subject = self.target.shell();
        match self.transport {
            Transport::HttpSse => match self.post().await {
                Found::StreamableHttp { session } => {
                    self.delete(session).await;
                    Some(format!("Streamable HTTP; run: mcp-conform http {subject}"))
                }
                _ => None,
            },
            _ => match self.get().await {
                Found::HttpSse => Some(format!("HTTP+SSE; run: mcp-conform sse {subject}")),
                _ => None,
            },
        }
    }

    /// Asks for the stream of HTTP+SSE.
    async fn get(&self) -> Found {
        let accept = "text/event-stream";
        let (mut opened, deadline) = match self.open("GET", accept, None).await {
            Ok(opened) => opened,
            Err(found) => return found,
        };
        if opened.exchange.status >= 300 {
            return Found::Unknown;
        }
        let (mut reader, mut named, mut read) = (SseReader::default(), false, 0);
        while let Some(chunk) = next(&mut opened, deadline).await {
            reader.push(&chunk, &mut |found| {
                named |= matches!(&found, SseFound::Event(event) if names_endpoint(event));
            });
            read += chunk.len();
            if named {
                return Found::HttpSse;
            }
            if read > BODY {
                break;
            }
        }
        Found::Unknown
    }

    /// Posts `initialize`, as to Streamable HTTP.
    async fn post(&self) -> Found {
        let accept = "application/json, text/event-stream";
        let body = initialize().to_string();
        let (mut opened, deadline) = match self.open("POST", accept, Some(body)).await {
            Ok(opened) => opened,
            Err(found) => return found,
        };
        let session = opened.exchange.header("mcp-session-id");
        let is_stream = opened.exchange.is_stream();
        if opened.exchange.status < 300 && (session.is_some() || is_stream) {
            return Found::StreamableHttp { session };
        }
        let mut body = Vec::new();
        while let Some(chunk) = next(&mut opened, deadline).await {
            body.extend_from_slice(&chunk);
            if body.len() > BODY {
                break;
            }
        }
        // A refusal in words of JSON-RPC comes from an endpoint of the transport too, unless it is
        // the other one's that misses its session.
        let answers = read_value(&body).iter().any(|message| {
            message.has_result() || message.error_is(-32602) || message.error_is(-32022)
        });
        match answers {
            true => Found::StreamableHttp { session },
            false => Found::Unknown,
        }
    }

    /// Ends the session that a question has opened.
    async fn delete(&self, session: Option<String>) {
        let Some(session) = session else {
            return;
        };
        let mut request = self.request("DELETE", "*/*", None);
        request.headers.push(("Mcp-Session-Id".to_owned(), session));
        // Who does not take it keeps the session for as long as it likes.
        self.client.open(&request, 0, self.limit).await.ok();
    }

    fn request(&self, method: &'static str, accept: &str, body: Option<String>) -> Request {
        let mut headers = vec![("Accept".to_owned(), accept.to_owned())];
        if body.is_some() {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        Request {
            method,
            url: self.endpoint.url.clone(),
            headers,
            body: body.map(Bytes::from),
            raw: None,
        }
    }

    /// Sends a request, and follows one redirect on the same host.
    async fn open(
        &self,
        method: &'static str,
        accept: &str,
        body: Option<String>,
    ) -> Result<(Opened, Instant), Found> {
        let deadline = Instant::now() + self.limit;
        let mut request = self.request(method, accept, body);
        for _ in 0..2 {
            let opened = self.client.open(&request, 0, self.limit).await;
            let opened = opened.map_err(|error| obstacle(&request.url, error))?;
            let exchange = &opened.exchange;
            if let Some(target) = redirect(&request.url, exchange) {
                if origin(&target) != origin(&request.url) {
                    return Err(Found::Obstacle(Obstacle::Redirect(target)));
                }
                request.url = target;
                continue;
            }
            let protected = exchange.status == 401
                || exchange.status == 403 && exchange.header("www-authenticate").is_some();
            if protected {
                return Err(Found::Obstacle(Obstacle::Credentials));
            }
            let is_page = exchange.media_type().as_deref() == Some("text/html");
            if exchange.status < 300 && is_page {
                return Err(Found::Obstacle(Obstacle::Html));
            }
            return Ok((opened, deadline));
        }
        Err(Found::Unknown)
    }
}

/// The next bytes of a body, until the deadline.
async fn next(opened: &mut Opened, deadline: Instant) -> Option<Bytes> {
    timeout_at(deadline, opened.chunk()).await.ok()?.ok()?
}

fn obstacle(url: &Url, error: ClientError) -> Found {
    let reason = match error {
        ClientError::Unreachable(reason) => reason,
        ClientError::Failed(_) | ClientError::Silent(_) => return Found::Unknown,
    };
    let prefix = format!("{}: ", origin(url));
    let reason = reason.strip_prefix(&prefix).unwrap_or(&reason);
    Found::Obstacle(if reason.contains("certificate") {
        Obstacle::Certificate(reason.to_owned())
    } else if url.scheme() == "https" && reason.contains("InvalidContentType") {
        Obstacle::NotTls
    } else {
        Obstacle::Unreachable(reason.to_owned())
    })
}

fn redirect(from: &Url, exchange: &Exchange) -> Option<Url> {
    if !matches!(exchange.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    from.join(&exchange.header("location")?).ok()
}

fn initialize() -> Value {
    json!({
        "jsonrpc": "2.0",
        "id": "detect",
        "method": "initialize",
        "params": {
            "protocolVersion": Revision::V2025_11_25.as_str(),
            "capabilities": {},
            "clientInfo": { "name": "mcp-conform", "version": env!("CARGO_PKG_VERSION") },
        },
    })
}
