use std::{ops::Range, rc::Rc, time::Duration};

use super::{Exchange, Id, Line, Message};
use crate::transport::{Request, SseFound};

/// One of the three streams of a child process, or a direction of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// From us to the server.
    Stdin,
    /// The server's messages.
    Stdout,
    /// The server's log.
    Stderr,
    /// From us to the server, over HTTP.
    Request,
    /// From the server, over HTTP.
    Response,
}

impl Stream {
    /// The name in transcripts and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Stream::Stdin => "stdin",
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
            Stream::Request => "request",
            Stream::Response => "response",
        }
    }
}

/// Something that happened in a session, as rules see it.
#[derive(Debug)]
pub enum Event<'a> {
    /// We wrote these bytes to the server.
    Sent(&'a [u8]),
    /// The client said a message: it stands in the bytes that were just sent.
    Said(&'a Message),
    /// A line of stdout is complete.
    Line(&'a Line),
    /// The server sent a message. It comes before the [`Event::Line`] that holds it.
    Message(&'a Message),
    /// The head of an HTTP answer has come.
    Opened(&'a Rc<Exchange>),
    /// The body of an HTTP answer that is no event stream was read.
    Body {
        /// The exchange that it belongs to.
        exchange: &'a Rc<Exchange>,
        /// Its first bytes; all of them unless it is longer than a message may be.
        body: &'a [u8],
        /// Its length in bytes.
        len: u64,
        /// Whether it was read to an orderly end.
        whole: bool,
    },
    /// Something was found in an event stream. A message in it comes before.
    Found {
        /// The exchange that the stream belongs to.
        exchange: &'a Rc<Exchange>,
        /// What was found.
        found: &'a SseFound,
    },
    /// An event stream has ended.
    Closed {
        /// The exchange that the stream belongs to.
        exchange: &'a Rc<Exchange>,
        /// How.
        close: Close,
    },
    /// Everything that will be read of the session has been read.
    Ended {
        /// Whether it was ended by us and in order.
        orderly: bool,
    },
    /// A first answer has not come within its limit: stdin is closed to see whether it was held back.
    GaveUp,
    /// We closed the server's stdin.
    StdinClosed,
    /// We sent SIGTERM.
    Terminated,
    /// The server's stdout has ended, or was given up because the process had to be killed.
    StdoutEnded {
        /// Whether the process had to be killed for it.
        killed: bool,
    },
    /// At the end of the session: a response stands on stderr to a request that was never
    /// answered on stdout.
    AnswerOnStderr {
        /// The id of the request.
        id: &'a Id,
        /// The line of stderr.
        text: &'a [u8],
    },
    /// At the end of the session: stderr as a whole.
    StderrEnded {
        /// The first line with bytes that are not UTF-8.
        not_utf8: Option<&'a [u8]>,
    },
}

/// How an event stream came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The server ended it.
    Ended,
    /// The connection broke in the middle.
    Cut,
    /// We closed it.
    Ours,
}

impl Close {
    /// The word in transcripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Close::Ended => "server",
            Close::Cut => "cut",
            Close::Ours => "client",
        }
    }

    /// The way that a transcript names.
    pub(crate) fn named(name: &str) -> Option<Close> {
        [Close::Ended, Close::Cut, Close::Ours]
            .into_iter()
            .find(|close| close.as_str() == name)
    }
}

/// A piece of what was said, as evidence.
#[derive(Clone, Debug)]
pub struct Excerpt {
    /// Where it was said.
    pub stream: Stream,
    /// When, counted from the start of the run.
    pub at: Duration,
    /// The bytes, cut off at 4 KiB.
    pub text: Rc<[u8]>,
    /// How many bytes there were.
    pub len: u64,
    /// The offending part.
    pub mark: Option<Range<usize>>,
}

/// How much of one message or line serves as evidence, in bytes.
const EXCERPT_BYTES: usize = 4 * 1024;

impl Excerpt {
    /// An excerpt of `bytes`.
    pub fn new(stream: Stream, at: Duration, bytes: &[u8]) -> Excerpt {
        Excerpt {
            stream,
            at,
            text: bytes[..bytes.len().min(EXCERPT_BYTES)].into(),
            len: bytes.len() as u64,
            mark: None,
        }
    }

    /// An excerpt of a line of stdout, with its offending part marked.
    pub fn of_line(at: Duration, line: &Line) -> Excerpt {
        Excerpt {
            stream: Stream::Stdout,
            at,
            text: line.excerpt.as_slice().into(),
            len: line.len,
            mark: line.mark.clone(),
        }
    }

    /// The head of an HTTP request, and its body.
    pub(crate) fn of_request(at: Duration, request: &Request) -> Excerpt {
        let mut text = format!("{} {}", request.method, request.url);
        for (name, value) in &request.headers {
            text += &format!("\n{name}: {value}");
        }
        if let Some(host) = request.raw.as_ref().and_then(|raw| raw.host.as_ref()) {
            text += &format!("\nHost: {host}");
        }
        let mut text = text.into_bytes();
        if let Some(body) = &request.body {
            text.extend_from_slice(b"\n\n");
            text.extend_from_slice(body);
        }
        Excerpt::new(Stream::Request, at, &text)
    }

    /// The head of an HTTP answer.
    pub fn of_exchange(at: Duration, exchange: &Exchange) -> Excerpt {
        let mut text = format!("HTTP {}", exchange.status).into_bytes();
        for (name, value) in &exchange.headers {
            text.extend_from_slice(format!("\n{name}: ").as_bytes());
            text.extend_from_slice(value);
        }
        Excerpt::new(Stream::Response, at, &text)
    }

    /// An HTTP status without a message.
    pub fn of_status(at: Duration, status: u16) -> Excerpt {
        Excerpt::new(Stream::Response, at, format!("HTTP {status}").as_bytes())
    }

    /// An excerpt of a message from the server.
    pub fn of_message(at: Duration, message: &Message) -> Excerpt {
        let stream = match message.exchange {
            Some(_) => Stream::Response,
            None => Stream::Stdout,
        };
        let mut excerpt = Excerpt::new(stream, at, message.text().unwrap_or_default());
        excerpt.len = message.len();
        excerpt
    }
}
