//! The reference server over HTTP, byte for byte.

mod answer;
mod client;
mod faults;
mod guard;
mod messages;
mod requests;
mod resumption;
mod session;
mod sessions;
mod sse;
