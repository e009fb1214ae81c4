//! A client that writes what it is told, and reads what comes.

use std::time::Duration;

use mock_servers::http::Server;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than anything here takes; who waits for more has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const BOTH: &str = "application/json, text/event-stream";

/// A server that serves until the test ends.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) authority: String,
    pub(crate) path: String,
}

pub(crate) async fn streamable(faults: &[&str]) -> Site {
    let server = Server::streamable(0, &named(faults)).await;
    serve(server.expect("a port"))
}

pub(crate) async fn http_sse(faults: &[&str]) -> Site {
    serve(Server::sse(0, &named(faults)).await.expect("a port"))
}

fn serve(server: Server) -> Site {
    let url = server.url();
    let (authority, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .expect("an http URL");
    let site = Site {
        authority: authority.to_owned(),
        path: format!("/{path}"),
    };
    tokio::spawn(server.serve());
    site
}

fn named(faults: &[&str]) -> Vec<&'static mock_servers::Fault> {
    faults
        .iter()
        .map(|name| mock_servers::fault(name).expect("the fault exists"))
        .collect()
}

pub(crate) fn initialize(revision: &str) -> Value {
    json!({
        "jsonrpc": "2.0", "id": "init", "method": "initialize",
        "params": {
            "protocolVersion": revision,
            "capabilities": { "roots": {}, "elicitation": {} },
            "clientInfo": { "name": "test", "version": "1" },
        },
    })
}

pub(crate) fn request(id: impl Into<Value>, method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method })
}

pub(crate) fn ping(id: impl Into<Value>) -> Value {
    request(id, "ping")
}

pub(crate) fn notification(method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "method": method })
}

pub(crate) fn call(id: impl Into<Value>, tool: &str, arguments: Value) -> Value {
    json!({
        "jsonrpc": "2.0", "id": id.into(), "method": "tools/call",
        "params": {
            "name": tool, "arguments": arguments, "_meta": { "progressToken": tool },
        },
    })
}

/// A request to be sent.
#[derive(Clone)]
pub(crate) struct Ask {
    authority: String,
    target: String,
    method: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    chunks: Option<usize>,
}

impl Site {
    pub(crate) fn ask(&self, method: &str) -> Ask {
        Ask {
            authority: self.authority.clone(),
            target: self.path.clone(),
            method: method.to_owned(),
            headers: vec![("Host".to_owned(), self.authority.clone())],
            body: Vec::new(),
            chunks: None,
        }
    }

    /// A POST with the headers that it needs.
    pub(crate) fn post(&self, body: impl ToString) -> Ask {
        self.ask("POST")
            .with("Content-Type", "application/json")
            .with("Accept", BOTH)
            .body(body.to_string())
    }

    pub(crate) fn port(&self) -> &str {
        self.authority.rsplit(':').next().expect("a port")
    }
}

impl Ask {
    /// Sets a header, in place of one of that very name.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn to(mut self, target: &str) -> Self {
        self.target = target.to_owned();
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends the body in chunks of so many bytes.
    pub(crate) fn chunked(mut self, size: usize) -> Self {
        self.chunks = Some(size);
        self
    }

    /// Sends it, and reads the head of the answer.
    pub(crate) async fn send(self) -> Answer {
        let mut stream = TcpStream::connect(&self.authority).await.expect("there");
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").bytes());
        }
        match self.chunks {
            Some(size) => {
                bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in self.body.chunks(size) {
                    bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                    bytes.extend(chunk.iter().chain(b"\r\n"));
                }
                bytes.extend(b"0\r\n\r\n");
            }
            None => {
                bytes.extend(format!("Content-Length: {}\r\n\r\n", self.body.len()).bytes());
                bytes.extend(&self.body);
            }
        }
        stream.write_all(&bytes).await.expect("written");
        timeout(PATIENCE, Answer::read(BufReader::new(stream)))
            .await
            .expect("an answer in time")
    }

    pub(crate) async fn status(self) -> u16 {
        self.send().await.status
    }

    /// Sends it, and reads the answer to its end.
    pub(crate) async fn whole(self) -> Whole {
        self.send().await.whole().await
    }
}

/// An answer whose body is still to come.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    stream: BufReader<TcpStream>,
    length: Option<usize>,
    buffer: Vec<u8>,
}

impl Answer {
    async fn read(mut stream: BufReader<TcpStream>) -> Self {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.expect("a line");
            assert!(line.ends_with("\r\n"), "the connection was closed: {line}");
            if line == "\r\n" {
                break;
            }
            lines.push(line.trim_end().to_owned());
        }
        let status = lines[0].split(' ').nth(1).expect("a status");
        let headers: Vec<(String, String)> = lines[1..]
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let mut answer = Self {
            status: status.parse().expect("a number"),
            headers,
            stream,
            length: None,
            buffer: Vec::new(),
        };
        if answer.header("transfer-encoding") != Some("chunked") {
            let length = answer.header("content-length").unwrap_or("0");
            answer.length = Some(length.parse().expect("a length"));
        }
        answer
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The next bytes of the body, or none at its end.
    async fn more(&mut self) -> Option<Vec<u8>> {
        let size = match &mut self.length {
            Some(length) => std::mem::take(length),
            None => {
                let mut line = String::new();
                self.stream.read_line(&mut line).await.expect("a chunk");
                usize::from_str_radix(line.trim_end(), 16).expect("a size")
            }
        };
        let mut bytes = vec![0; size];
        self.stream.read_exact(&mut bytes).await.expect("the bytes");
        if self.length.is_none() {
            let mut end = String::new();
            self.stream
                .read_line(&mut end)
                .await
                .expect("a chunk's end");
        }
        (size > 0).then_some(bytes)
    }

    /// The text of the next event, without its blank line; none at the end of the stream.
    pub(crate) async fn event(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\n\n") {
                let event = self.buffer.drain(..end + 2).collect::<Vec<_>>();
                return Some(String::from_utf8(event[..end].to_vec()).expect("UTF-8"));
            }
            let more = timeout(PATIENCE, self.more()).await;
            match more.expect("an event in time") {
                Some(bytes) => self.buffer.extend(bytes),
                None => {
                    assert_eq!(String::from_utf8_lossy(&self.buffer), "");
                    return None;
                }
            }
        }
    }

    /// The next message, past events without data.
    pub(crate) async fn message(&mut self) -> Option<Value> {
        loop {
            let data = data(&self.event().await?);
            if !data.is_empty() {
                return Some(serde_json::from_str(&data).expect("JSON"));
            }
        }
    }

    /// Reads to the end.
    pub(crate) async fn whole(mut self) -> Whole {
        let mut body = std::mem::take(&mut self.buffer);
        loop {
            let more = timeout(PATIENCE, self.more()).await;
            match more.expect("the end in time") {
                Some(bytes) => body.extend(bytes),
                None => break,
            }
        }
        Whole {
            status: self.status,
            headers: self.headers,
            body,
        }
    }
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Whole {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn content_type(&self) -> &str {
        self.header("content-type").unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.content_type(), "application/json");
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The events of a stream.
    pub(crate) fn events(&self) -> Vec<&str> {
        assert_eq!(self.content_type(), "text/event-stream");
        let mut events: Vec<&str> = self.text().split("\n\n").collect();
        assert_eq!(events.pop(), Some(""), "the last event has its blank line");
        events
    }

    /// The messages of a stream.
    pub(crate) fn messages(&self) -> Vec<Value> {
        let data = self.events().into_iter().map(data);
        data.filter(|data| !data.is_empty())
            .map(|data| serde_json::from_str(&data).expect("JSON"))
            .collect()
    }

    /// The response, in whichever form it came.
    pub(crate) fn response(&self) -> Value {
        assert_eq!(
            self.status,
            200,
            "{:?}",
            String::from_utf8_lossy(&self.body)
        );
        if self.content_type() == "text/event-stream" {
            self.messages().pop().expect("a message")
        } else {
            self.json()
        }
    }
}

/// What the data lines of an event come to.
pub(crate) fn data(event: &str) -> String {
    let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
    let lines: Vec<&str> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    lines.join("\n")
}

/// The id of an event.
pub(crate) fn id(event: &str) -> &str {
    let id = event.lines().find_map(|line| line.strip_prefix("id: "));
    id.expect("an id")
}

/// A session over Streamable HTTP.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) site: Site,
    pub(crate) id: String,
    revision: String,
}

impl Session {
    pub(crate) async fn open(site: &Site, revision: &str) -> Self {
        let answer = site.post(initialize(revision)).whole().await;
        assert_eq!(answer.response()["result"]["protocolVersion"], revision);
        let session = Self {
            site: site.clone(),
            id: answer.header("mcp-session-id").expect("an id").to_owned(),
            revision: revision.to_owned(),
        };
        let initialized = notification("notifications/initialized");
        assert!(session.post(initialized).status().await < 300);
        session
    }

    fn of_session(&self, ask: Ask) -> Ask {
        let ask = ask.with("Mcp-Session-Id", &self.id);
        if self.revision.as_str() >= "2025-06-18" {
            ask.with("MCP-Protocol-Version", &self.revision)
        } else {
            ask
        }
    }

    pub(crate) fn ask(&self, method: &str) -> Ask {
        self.of_session(self.site.ask(method))
    }

    pub(crate) fn post(&self, body: impl ToString) -> Ask {
        self.of_session(self.site.post(body))
    }

    pub(crate) fn get(&self) -> Ask {
        self.ask("GET").with("Accept", "text/event-stream")
    }

    pub(crate) fn resume(&self, id: &str) -> Ask {
        self.get().with("Last-Event-ID", id)
    }

    pub(crate) async fn is_alive(&self) -> bool {
        self.post(ping("alive")).status().await == 200
    }
}

/// A session over HTTP+SSE.
pub(crate) struct Stream {
    pub(crate) site: Site,
    pub(crate) endpoint: String,
    pub(crate) events: Answer,
}

impl Stream {
    /// Connects, and does the handshake.
    pub(crate) async fn open(site: &Site, revision: &str) -> Self {
        let mut stream = Self::connect(site).await;
        let response = stream.exchange(initialize(revision)).await;
        assert_eq!(response["result"]["protocolVersion"], revision);
        let initialized = notification("notifications/initialized");
        assert_eq!(stream.post(initialized).status().await, 202);
        stream
    }

    pub(crate) async fn connect(site: &Site) -> Self {
        let mut events = site
            .ask("GET")
            .with("Accept", "text/event-stream")
            .send()
            .await;
        assert_eq!(events.status, 200);
        let endpoint = events.event().await.expect("an event");
        assert!(endpoint.starts_with("event: endpoint\n"), "{endpoint}");
        Self {
            site: site.clone(),
            endpoint: data(&endpoint),
            events,
        }
    }

    pub(crate) fn post(&self, body: impl ToString) -> Ask {
        self.site.post(body).to(&self.endpoint)
    }

    pub(crate) async fn message(&mut self) -> Value {
        self.events.message().await.expect("a message")
    }

    /// Posts a request, and waits for the next message.
    pub(crate) async fn exchange(&mut self, request: Value) -> Value {
        let posted = self.post(request).whole().await;
        assert_eq!((posted.status, posted.text()), (202, ""));
        self.message().await
    }
}
