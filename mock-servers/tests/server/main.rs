//! The reference server, seen from a client.

mod direct;
mod exchange;
mod faults;
mod features;
mod honest;
mod jsonrpc;
mod lifecycle;
mod table;
mod task_faults;
mod tasks;
mod utilities;
