//! The wire of the HTTP transports: our own reader of event streams, since its errors are our
//! findings, and requests to the byte, which ordinary clients put right before they send them.

mod addresses;
mod block;
mod client;
mod endpoint;
mod raw;
mod raw_body;
mod sse;

pub use addresses::own_addresses;
pub use client::ClientSetupError;
pub(crate) use client::{Client, ClientError, Opened, Raw, Request, origin};
pub(crate) use endpoint::{EndpointFlaw, endpoint_of};
pub use raw::{Body, RawError, RawRequest, RawResponse, RawTarget, send};
pub use raw_body::RawBody;
pub use sse::{SseEvent, SseFlaw, SseFlawKind, SseFound, SseReader};
