//! What the server decides: plain data, so that a fault can decide otherwise.

use std::io;
use std::net::Ipv4Addr;

use crate::revision::Revision;

/// The decisions of a server over HTTP.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The address that it listens on.
    pub address: Ipv4Addr,
    /// Makes the id of the session with that number.
    pub session_id: fn(u64) -> io::Result<String>,
    /// How many sessions may exist at once.
    pub most_sessions: usize,
    /// What becomes of a post with a session id that was never issued.
    pub unknown_session: UnknownSession,
    /// What a body that is not JSON does to its session.
    pub malformed: Malformed,
    /// What a DELETE ends.
    pub delete: Delete,
    /// What a broken connection does: to a running request, or to the session where the
    /// connection is the session.
    pub disconnection: Disconnection,
    /// How many streams that belong to no request a session may have.
    pub standalone: Standalone,
    /// When the headers of a stream opened by GET are sent.
    pub get_headers: GetHeaders,
    /// How many requests are served while a stream opened by GET stands open.
    pub beside_get: Option<u64>,
    /// Whether streams start with an event that has an id and no data.
    pub primes: fn(Revision) -> bool,
    /// The milliseconds that the priming event gives for coming back.
    pub retry: Option<u32>,
    /// What is said again on a stream that is resumed.
    pub replay: Replay,
}

/// See [`Policy::unknown_session`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownSession {
    /// It is refused with 404.
    Refused,
    /// It is served by the session whose id begins in the same way, for so many characters.
    Resembling(usize),
    /// It is accepted and dropped.
    Dropped,
}

/// See [`Policy::malformed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Nothing.
    LeavesSession,
    /// The session is over.
    EndsSession,
}

/// See [`Policy::delete`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delete {
    /// The session that it names, and its streams.
    Session,
    /// The session, while its streams stay open.
    SessionWithoutStreams,
    /// Every session.
    EverySession,
}

/// See [`Policy::disconnection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disconnection {
    /// A request runs on; over HTTP+SSE the session is over.
    AsSpecified,
    /// A request is cancelled; over HTTP+SSE the session lives on.
    Otherwise,
}

/// See [`Policy::standalone`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standalone {
    /// One; a second GET is refused with 409.
    One,
    /// Any number, and every message is said on each.
    Each,
}

/// See [`Policy::get_headers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GetHeaders {
    /// At once.
    AtOnce,
    /// With the first event.
    WithFirstEvent,
}

/// See [`Policy::replay`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// What came after the event named, on its stream.
    After,
    /// The same, and the event named.
    From,
    /// The same as [`Replay::After`], and what came on later streams of the session.
    LaterStreams,
    /// The same as [`Replay::After`], on whatever session's stream the event was.
    AnySession,
}

impl Policy {
    pub(crate) const HONEST: Self = Self {
        address: Ipv4Addr::LOCALHOST,
        session_id: |_| random_id(),
        most_sessions: usize::MAX,
        unknown_session: UnknownSession::Refused,
        malformed: Malformed::LeavesSession,
        delete: Delete::Session,
        disconnection: Disconnection::AsSpecified,
        standalone: Standalone::One,
        get_headers: GetHeaders::AtOnce,
        beside_get: None,
        // Older clients take an event without data for a message that is broken.
        primes: |revision| revision >= Revision::V2025_11_25,
        retry: Some(100),
        replay: Replay::After,
    };
}

/// 128 random bits in hexadecimal.
pub(crate) fn random_id() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
