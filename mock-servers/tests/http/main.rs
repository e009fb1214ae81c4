//! The reference server over HTTP, byte for byte.

mod client;
mod guard;
mod requests;
mod resumption;
mod sessions;
mod sse;
