//! A client that writes what it is told, and reads what comes.

use std::time::Duration;

use mock_servers::http::Server;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::answer::{Answer, Whole};

/// Longer than anything here takes; who waits for more has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const BOTH: &str = "application/json, text/event-stream";

/// A server that serves until the test ends.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) authority: String,
    pub(crate) path: String,
    /// Whether a fault has it listen on every address.
    pub(crate) listens_everywhere: bool,
}

pub(crate) async fn streamable(faults: &[&str]) -> Site {
    let server = Server::streamable(0, &named(faults)).await;
    serve(server.expect("a port"), faults)
}

pub(crate) async fn http_sse(faults: &[&str]) -> Site {
    let server = Server::sse(0, &named(faults)).await;
    serve(server.expect("a port"), faults)
}

fn serve(server: Server, faults: &[&str]) -> Site {
    let url = server.url();
    let (authority, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .expect("an http URL");
    let site = Site {
        authority: authority.to_owned(),
        path: format!("/{path}"),
        listens_everywhere: faults.iter().any(|name| name.ends_with("all-interfaces")),
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
