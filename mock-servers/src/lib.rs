//! The reference MCP server of `mcp-conform`, honest or with named faults.
//!
//! The honest server speaks the revisions 2024-11-05, 2025-03-26, 2025-06-18 and
//! 2025-11-25. Its handlers live in `session` and `features` and never ask which
//! fault is on: a [`Fault`] bends what they produce, or what reaches them, in the
//! layers below. What a transport needs of the server is [`Session`] and [`Outbox`].

mod fault;
mod faults;
mod features;
pub mod http;
mod message;
mod outbox;
mod policy;
mod revision;
mod scene;
mod session;
pub mod stdio;

pub use fault::{Bend, Bends, Fault, Lifecycle, Sheet, Stdin, Stdout, Transport};
pub use faults::{fault, faults, freedoms, variants};
pub use message::{Malformed, parse};
pub use outbox::{Emitted, Outbox, Outgoing};
pub use policy::Policy;
pub use revision::Revision;
pub use scene::{Asked, InFlight, Memory, Scene};
pub use session::Session;
