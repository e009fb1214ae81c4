//! The clauses of HTTP+SSE, the transport of 2024-11-05: the stream that is the session, and the
//! endpoint that is posted to.

mod bodies;
mod endpoint;
mod events;
mod exchange;
mod format;
mod local;
mod post;
mod prelude;
mod sessions;
mod stream;

use crate::case::Case;

pub(super) const CASES: &[&[Case]] = &[
    stream::CASES,
    endpoint::CASES,
    post::CASES,
    events::CASES,
    exchange::CASES,
    sessions::CASES,
    bodies::CASES,
    format::CASES,
    local::CASES,
];
