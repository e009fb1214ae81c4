//! The Streamable HTTP transport of the revisions with sessions.

mod binding;
mod client;
mod delete;
mod disconnect;
mod host;
mod isolation;
mod origin;
mod replay;
mod resumption;
mod session;
mod session_ids;
mod version;
mod visitors;
mod weakness;

use crate::case::Case;

/// What every file of this area needs.
mod prelude {
    pub(super) use std::{future::Future, rc::Rc, time::Duration};

    pub(super) use super::client::{Client, Conversation, held};
    pub(super) use crate::{
        cases::prelude::*,
        talk::{Draft, Turn},
        tape::{Exchange, Stream},
    };
}

/// The cases of the area, file by file.
pub(super) const CASES: &[&[Case]] = &[
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
