//! The reference server over HTTP, byte for byte.

mod client;
mod guard;
mod messages;
mod requests;
mod resumption;
mod sessions;
mod sse;
