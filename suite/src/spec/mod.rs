//! The words of the specification: revisions, levels, transports and clauses.

mod clause;
mod level;
mod revision;
mod transport;

pub use clause::{Advice, Clause, Gate};
pub use level::Level;
pub use revision::Revision;
pub use transport::Transport;
