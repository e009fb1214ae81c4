//! The words of the specification: revisions, levels, transports, clauses, methods and schemas.

mod clause;
mod level;
pub mod methods;
mod revision;
pub mod schema;
mod transport;

pub use clause::{Advice, Clause, Gate};
pub use level::Level;
pub use revision::Revision;
pub use transport::Transport;
