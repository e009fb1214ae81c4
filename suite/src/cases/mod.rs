//! The registry: every case, area by area, in the order of reports.

mod http_sse;
mod jsonrpc;
mod lifecycle;
mod prelude;
mod stdio;
mod streamable_http;
mod unjudged;
mod utilities;

use crate::case::Case;

pub use unjudged::{Unjudged, unjudged};

/// The areas, each a list of lists of cases.
const AREAS: &[&[&[Case]]] = &[
    stdio::CASES,
    http_sse::CASES,
    streamable_http::CASES,
    jsonrpc::CASES,
    lifecycle::CASES,
    utilities::CASES,
    utilities::TASKS,
    utilities::ICONS,
];

/// Every case, in the order of reports.
pub fn all() -> impl Iterator<Item = &'static Case> {
    AREAS
        .iter()
        .flat_map(|area| area.iter())
        .flat_map(|list| list.iter())
}

/// The case with this id.
pub fn find(id: &str) -> Option<&'static Case> {
    all().find(|case| case.clause.id == id)
}

/// The id that resembles `text` most, if one does.
pub fn nearest(text: &str) -> Option<&'static str> {
    nearest_of(text, all().map(|case| case.clause.id))
}

/// The name that resembles `text` most, if one does; of an id the part behind the slash will do.
pub(crate) fn nearest_of<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = text.trim_matches('*');
    let ratio = |name: &str| similar::TextDiff::from_chars(name, plain).ratio();
    names
        .map(|name| {
            (
                ratio(name).max(ratio(name.rsplit('/').next().unwrap_or(name))),
                name,
            )
        })
        .filter(|(ratio, _)| *ratio > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
