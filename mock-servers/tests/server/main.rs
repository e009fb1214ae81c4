//! The reference server, seen from a client.

mod exchange;
mod faults;
mod features;
mod honest;
