//! The clauses of Streamable HTTP: posts and their answers, streams and their format, resumption,
//! sessions, the version header, and where requests come from.

mod accept;
mod batch;
mod binding;
mod client;
mod delete;
mod disconnect;
mod encoding;
mod events;
mod get;
mod host;
mod isolation;
mod notification;
mod origin;
mod poll;
mod post;
mod prelude;
mod refusal;
mod replay;
mod resumption;
mod session;
mod session_ids;
mod stream;
mod version;
mod visitors;
mod weakness;

use crate::case::Case;

pub(super) const CASES: &[&[Case]] = &[
    post::CASES,
    get::CASES,
    encoding::CASES,
    accept::CASES,
    notification::CASES,
    refusal::CASES,
    batch::CASES,
    stream::CASES,
    poll::CASES,
    events::CASES,
    replay::CASES,
    disconnect::CASES,
    session_ids::CASES,
    session::CASES,
    delete::CASES,
    isolation::CASES,
    version::CASES,
    origin::CASES,
    host::CASES,
    binding::CASES,
];
