//! HTTP/1.1 to the byte, one request a connection: the headers go out as they are written, in
//! their order, and none is added but the one that frames the body.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Buf, BytesMut};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

use super::raw_body::{Framing, RawBody};

/// The longest head of a response, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;
/// How much is read at a time.
pub(super) const READ_BYTES: usize = 16 * 1024;
/// How every status line that we read begins.
const STATUS_LINE: &[u8] = b"HTTP/1.";

/// Where a request goes.
#[derive(Clone, Debug)]
pub struct RawTarget {
    /// The host of the URL, an IPv6 address without its brackets. TLS checks the certificate
    /// against it.
    pub host: String,
    /// The port of the URL.
    pub port: u16,
    /// How to speak TLS; none for plain HTTP.
    pub tls: Option<Arc<ClientConfig>>,
    /// Where to connect to instead of what the host resolves to.
    pub address: Option<SocketAddr>,
}

/// A request. It has no `Debug`, for its headers may hold credentials.
#[derive(Clone)]
pub struct RawRequest {
    /// The method, as it is written.
    pub method: String,
    /// The request target: path and query.
    pub path: String,
    /// The headers as they are written; `Host` is not added.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, and by it the header that frames it, unless there is one already.
    pub body: Body,
}

/// The body of a [`RawRequest`].
#[derive(Clone)]
pub enum Body {
    /// None, and no header that frames it.
    Empty,
    /// These bytes, with a `Content-Length`.
    Bytes(Vec<u8>),
    /// These chunks, with `Transfer-Encoding: chunked`. Empty ones are left out: they would end
    /// the body.
    Chunked(Vec<Vec<u8>>),
}

/// The head of the answer, and its body to be read.
#[derive(Debug)]
pub struct RawResponse {
    /// The status.
    pub status: u16,
    /// The reason phrase, if there is one in ASCII.
    pub reason: String,
    /// The headers as they were written.
    pub headers: Vec<(String, Vec<u8>)>,
    /// What follows them.
    pub body: RawBody,
}

/// A request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum RawError {
    /// Nobody listens there.
    #[error("the connection is refused")]
    Refused,
    /// There is no way there, or no such host.
    #[error("cannot connect: {0}")]
    Unreachable(#[source] io::Error),
    /// TLS could not be agreed on.
    #[error("TLS fails: {0}")]
    Tls(#[source] io::Error),
    /// The time was over before there was a connection.
    #[error("no connection within {} s", .0.as_secs_f32())]
    NoConnection(Duration),
    /// The time was over before there was a status.
    #[error("no status within {} s", .0.as_secs_f32())]
    NoStatus(Duration),
    /// The connection was closed and not a byte had come.
    #[error("the connection was closed without a status")]
    Closed,
    /// The body broke off.
    #[error("the connection was closed inside the body")]
    Cut,
    /// What came is no HTTP.
    #[error("the response is malformed: {0}")]
    Malformed(String),
}

/// A connection, with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Sends `request` over a connection of its own and reads the head of the answer; both have to be
/// done within `limit`. Interim answers are passed over.
pub async fn send(
    target: &RawTarget,
    request: &RawRequest,
    limit: Duration,
) -> Result<RawResponse, RawError> {
    let deadline = Instant::now() + limit;
    let stream = timeout_at(deadline, target.connect())
        .await
        .map_err(|_| RawError::NoConnection(limit))??;
    timeout_at(deadline, exchange(stream, request))
        .await
        .map_err(|_| RawError::NoStatus(limit))?
}

impl RawTarget {
    /// What an ordinary client would write into `Host`.
    pub fn authority(&self) -> String {
        let default = if self.tls.is_some() { 443 } else { 80 };
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        if self.port == default {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    async fn connect(&self) -> Result<Box<dyn Stream>, RawError> {
        let stream = match self.address {
            Some(address) => TcpStream::connect(address).await,
            None => TcpStream::connect((self.host.as_str(), self.port)).await,
        };
        let stream = stream.map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => RawError::Refused,
            _ => RawError::Unreachable(error),
        })?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let mut config = ClientConfig::clone(tls);
        // The configuration may be that of a client that speaks HTTP/2 too.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = ServerName::try_from(self.host.clone())
            .map_err(|error| RawError::Tls(io::Error::other(error)))?;
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, stream).await;
        Ok(Box::new(stream.map_err(RawError::Tls)?))
    }
}

impl RawRequest {
    /// A request without headers and body.
    pub fn new(method: &str, path: &str) -> RawRequest {
        RawRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Body::Empty,
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> RawRequest {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same with this body.
    #[must_use]
    pub fn body(mut self, body: Body) -> RawRequest {
        self.body = body;
        self
    }

    /// What is sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        if !self.is_framed() {
            let header = match &self.body {
                Body::Empty => String::new(),
                Body::Bytes(body) => format!("Content-Length: {}\r\n", body.len()),
                Body::Chunked(_) => "Transfer-Encoding: chunked\r\n".to_owned(),
            };
            bytes.extend(header.into_bytes());
        }
        bytes.extend(b"\r\n");
        match &self.body {
            Body::Empty => {}
            Body::Bytes(body) => bytes.extend(body),
            Body::Chunked(chunks) => {
                for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
                    bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                    bytes.extend(chunk);
                    bytes.extend(b"\r\n");
                }
                bytes.extend(b"0\r\n\r\n");
            }
        }
        bytes
    }

    /// Whether a header says already where the body ends.
    fn is_framed(&self) -> bool {
        self.headers.iter().any(|(name, _)| {
            name.eq_ignore_ascii_case("content-length")
                || name.eq_ignore_ascii_case("transfer-encoding")
        })
    }
}

impl RawResponse {
    /// The value of the first header of that name, in whatever case it was written.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let named = |(written, _): &&(String, Vec<u8>)| written.eq_ignore_ascii_case(name);
        let header = self.headers.iter().find(named);
        header.map(|(_, value)| value.as_slice())
    }
}

async fn exchange(stream: Box<dyn Stream>, request: &RawRequest) -> Result<RawResponse, RawError> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let bytes = request.to_bytes();
    // Servers may answer before they have read the body, and need not read it at all: writing
    // goes on beside reading, and what becomes of it shows in the answer.
    let mut writing = JoinSet::new();
    writing.spawn(async move {
        writer.write_all(&bytes).await?;
        writer.flush().await
    });
    let mut buffer = BytesMut::new();
    let head = loop {
        let head = read_head(&mut reader, &mut buffer).await?;
        if !(100..200).contains(&head.status) || head.status == 101 {
            break head;
        }
    };
    let framing = Framing::of(&request.method, head.status, &head.headers)?;
    Ok(RawResponse {
        status: head.status,
        reason: head.reason,
        headers: head.headers,
        body: RawBody::new(reader, buffer, framing, writing),
    })
}

struct Head {
    status: u16,
    reason: String,
    headers: Vec<(String, Vec<u8>)>,
}

/// Reads one head; what follows it stays in the buffer.
async fn read_head(
    reader: &mut ReadHalf<Box<dyn Stream>>,
    buffer: &mut BytesMut,
) -> Result<Head, RawError> {
    let mut searched = 0;
    loop {
        let start = buffer.len().min(STATUS_LINE.len());
        if buffer[..start] != STATUS_LINE[..start] {
            return malformed("it does not begin with a status line of HTTP/1");
        }
        let end = head_end(buffer, searched);
        if end.unwrap_or(buffer.len()) > HEAD_LIMIT {
            return malformed("its head is longer than 64 KiB");
        }
        if let Some(end) = end {
            let head = parse(&buffer[..end])?;
            buffer.advance(end);
            return Ok(head);
        }
        // The last line feed may be the first half of what is looked for.
        searched = buffer.len().saturating_sub(2);
        buffer.reserve(READ_BYTES);
        match reader.read_buf(buffer).await {
            Ok(0) | Err(_) if buffer.is_empty() => return Err(RawError::Closed),
            Ok(0) | Err(_) => return malformed("the connection was closed inside its head"),
            Ok(_) => {}
        }
    }
}

/// Where the head ends, blank line included.
fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'\n', &bytes[from..]).find_map(|at| {
        let next = from + at + 1;
        match bytes[next..] {
            [b'\n', ..] => Some(next + 1),
            [b'\r', b'\n', ..] => Some(next + 2),
            _ => None,
        }
    })
}

fn parse(head: &[u8]) -> Result<Head, RawError> {
    let lines = memchr::memchr_iter(b'\n', head).count();
    let mut headers = vec![httparse::EMPTY_HEADER; lines];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return malformed("its head is not complete"),
        Err(error) => return malformed(error.to_string()),
    }
    Ok(Head {
        status: response.code.unwrap_or_default(),
        reason: response.reason.unwrap_or_default().to_owned(),
        headers: response
            .headers
            .iter()
            .map(|header| (header.name.to_owned(), header.value.to_vec()))
            .collect(),
    })
}

pub(super) fn malformed<T>(what: impl Into<String>) -> Result<T, RawError> {
    Err(RawError::Malformed(what.into()))
}
