//! The wire of the HTTP transports: our own reader of event streams, since its errors are our
//! findings.

mod block;
mod sse;

pub use sse::{SseEvent, SseFlaw, SseFlawKind, SseFound, SseReader};
