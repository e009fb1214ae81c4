//! All faults, grouped by the area of the clause that they violate.

mod freedoms;
mod http_answers;
mod http_events;
mod http_methods;
mod http_origins;
mod http_posts;
mod http_resumption;
mod http_sessions;
mod http_streams;
mod http_versions;
mod jsonrpc_batch;
mod jsonrpc_envelope;
mod jsonrpc_errors;
mod jsonrpc_ids;
mod jsonrpc_own;
mod jsonrpc_requests;
mod lifecycle_order;
mod lifecycle_peer;
mod lifecycle_result;
mod lifecycle_versions;
mod sse_origins;
mod sse_posts;
mod sse_stream;
mod stdio_batch;
mod stdio_exchange;
mod stdio_input;
mod stdio_life;
mod stdio_output;
mod utilities_cancel;
mod utilities_icons;
mod utilities_ping;
mod utilities_progress;
mod utilities_task_calls;
mod utilities_task_life;
mod utilities_task_requests;
mod utilities_task_shape;
mod variants;

use crate::fault::Fault;

static GROUPS: &[&[Fault]] = &[
    stdio_output::FAULTS,
    stdio_input::FAULTS,
    stdio_exchange::FAULTS,
    stdio_life::FAULTS,
    stdio_batch::FAULTS,
    jsonrpc_envelope::FAULTS,
    jsonrpc_ids::FAULTS,
    jsonrpc_requests::FAULTS,
    jsonrpc_errors::FAULTS,
    jsonrpc_own::FAULTS,
    jsonrpc_batch::FAULTS,
    lifecycle_result::FAULTS,
    lifecycle_versions::FAULTS,
    lifecycle_order::FAULTS,
    lifecycle_peer::FAULTS,
    utilities_ping::FAULTS,
    utilities_cancel::FAULTS,
    utilities_progress::FAULTS,
    utilities_task_calls::FAULTS,
    utilities_task_requests::FAULTS,
    utilities_task_shape::FAULTS,
    utilities_task_life::FAULTS,
    utilities_icons::FAULTS,
    http_methods::FAULTS,
    http_answers::FAULTS,
    http_posts::FAULTS,
    http_streams::FAULTS,
    http_events::FAULTS,
    http_resumption::FAULTS,
    http_sessions::FAULTS,
    http_versions::FAULTS,
    http_origins::FAULTS,
    sse_stream::FAULTS,
    sse_posts::FAULTS,
    sse_origins::FAULTS,
];

/// All faults, in a stable order, grouped by area.
pub fn faults() -> impl Iterator<Item = &'static Fault> {
    GROUPS.iter().copied().flatten()
}

/// Further ways to violate clauses that have a fault already, in a stable order.
pub fn variants() -> impl Iterator<Item = &'static Fault> {
    variants::VARIANTS.iter()
}

/// What a server may do though this one does not, in a stable order: it violates nothing.
pub fn freedoms() -> impl Iterator<Item = &'static Fault> {
    freedoms::FREEDOMS.iter()
}

/// The fault of that name, or the variant or freedom.
#[must_use]
pub fn fault(name: &str) -> Option<&'static Fault> {
    let mut all = faults().chain(variants()).chain(freedoms());
    all.find(|fault| fault.name == name)
}
