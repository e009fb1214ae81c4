//! The wire of the HTTP transports: our own reader of event streams, since its errors are our
//! findings.

mod block;
mod client;
mod sse;

pub use client::ClientSetupError;
pub(crate) use client::{Client, ClientError, Opened, Request, origin};
pub use sse::{SseEvent, SseFlaw, SseFlawKind, SseFound, SseReader};
