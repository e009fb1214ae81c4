//! The stdio transport, from its line triage to its end.

mod batch;
mod exit;
mod framing;
mod input;
mod output;
mod robustness;

use crate::case::Case;

/// What every file of this area needs.
mod prelude {
    pub(super) use std::time::Duration;

    pub(super) use serde_json::json;

    pub(super) use crate::{
        case::{Case, Rule, Stage, Stop, Talk, differs, unverified, violated, violated_by},
        session::{Answer, Broken, How, Newline, Stray},
        spec::{
            Advice, Clause, Level,
            Revision::{V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25, V2026_07_28},
            Transport,
        },
        talk::Scene,
        tape::{ArrayKinds, Class, Event, Excerpt, Id, Kind, Line, Past, Stream, escaped},
    };

    /// The list requests, each with the capability that offers it.
    pub(super) const LISTS: [(&str, &str); 3] = [
        ("tools", "tools/list"),
        ("resources", "resources/list"),
        ("prompts", "prompts/list"),
    ];

    /// Five pings with distinct ids, a line each, to be sent in one write.
    pub(super) fn five_pings(s: &Talk) -> (Vec<Id>, String) {
        let ids: Vec<String> = (0..5).map(|_| s.fresh_id()).collect();
        let lines = ids.iter().map(|id| s.ping(id) + "\n").collect();
        (text_ids(&ids), lines)
    }

    pub(super) fn text_ids(ids: &[String]) -> Vec<Id> {
        ids.iter().cloned().map(Id::Text).collect()
    }
}

/// The cases of the area, file by file.
pub(super) const CASES: &[&[Case]] = &[
    output::CASES,
    framing::CASES,
    input::CASES,
    robustness::CASES,
    exit::CASES,
    batch::CASES,
];
