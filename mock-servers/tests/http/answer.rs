//! Answers: heads, bodies, and the events of streams.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::PATIENCE;

/// An answer whose body is still to come.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    stream: BufReader<TcpStream>,
    length: Option<usize>,
    buffer: Vec<u8>,
}

impl Answer {
    pub(crate) async fn read(mut stream: BufReader<TcpStream>) -> Self {
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
            // A blank line that ends nothing.
            while self.buffer.first() == Some(&b'\n') {
                self.buffer.remove(0);
            }
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

    /// The bytes up to the end of the chunk that holds these.
    pub(crate) async fn bytes_until(&mut self, wanted: &[u8]) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.buffer);
        while !bytes.windows(wanted.len()).any(|window| window == wanted) {
            let more = timeout(PATIENCE, self.more()).await;
            bytes.extend(more.expect("bytes in time").expect("more to come"));
        }
        bytes
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
