use std::fmt;

use super::Revision;

/// How messages travel between client and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Newline-delimited messages on the stdin and stdout of a child process.
    Stdio,
    /// The two endpoints of 2024-11-05: an event stream, and a URL to post to.
    HttpSse,
    /// The single endpoint of 2025-03-26 and later.
    StreamableHttp,
}

impl Transport {
    /// Every transport, in the order of the catalogue.
    pub const ALL: &'static [Transport] = &[
        Transport::Stdio,
        Transport::HttpSse,
        Transport::StreamableHttp,
    ];

    /// The revisions with a handshake that can be spoken over it, oldest first.
    pub const fn revisions(self) -> &'static [Revision] {
        match self {
            Transport::Stdio | Transport::HttpSse => &Revision::WITH_HANDSHAKE,
            // Streamable HTTP came with the second revision.
            Transport::StreamableHttp => {
                let [_, later @ ..] = &Revision::WITH_HANDSHAKE;
                later
            }
        }
    }

    /// The name in reports and in `list`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Transport::Stdio => "stdio",
            Transport::HttpSse => "http-sse",
            Transport::StreamableHttp => "streamable-http",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
