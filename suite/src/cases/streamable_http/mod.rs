//! The clauses of Streamable HTTP: posts and their answers, streams and their format.

mod accept;
mod batch;
mod course;
mod encoding;
mod events;
mod get;
mod notification;
mod poll;
mod post;
mod prelude;
mod refusal;
mod standing;
mod stream;

use crate::case::Case;

pub(super) const CASES: &[&[Case]] = &[
    post::CASES,
    get::CASES,
    standing::CASES,
    encoding::CASES,
    accept::CASES,
    notification::CASES,
    refusal::CASES,
    batch::CASES,
    stream::CASES,
    poll::CASES,
    events::CASES,
];
