//! `mcp-conform`: conformance tests for MCP servers, as a library behind the command.
//!
//! A [`run`](run::run) launches a server, lets the [`cases`] judge what it says, and gives a
//! [`Run`](run::Run), of which every [`report`] is a view.

pub mod case;
pub mod cases;
pub mod cli;
pub mod report;
pub mod run;
mod session;
pub mod spec;
mod talk;
pub mod tape;
pub mod target;
pub mod transport;

pub use cli::harness;
pub use session::{Broken, Limits};
