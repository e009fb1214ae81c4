//! Which clause judges a defect of its own, so that the umbrella clauses on schemas
//! (`jsonrpc/result-schema`, `jsonrpc/message-schema`) leave it to that clause.

mod messages;
mod results;

use super::mismatch::{Keyword, Mismatch};
use crate::spec::Revision::{self, V2025_06_18};

/// The places of one method (`*`: of any), each with the clause that judges it. A step is the name
/// of a member, `*` for any one step, `<text>` behind a content block that says it is of type
/// `text`, or, as the last, `**` for any number of steps.
type Places = (&'static str, &'static [(&'static str, &'static str)]);

/// Clauses that hold a defect of the schema against a server less than the schema does, because the
/// text leaves room: nothing else may report it, whether or not they have a case.
const LENIENT: [&str; 5] = [
    "resources/annotations-last-modified",
    "elicitation/enum-names",
    "tools/schema-no-boolean-properties",
    "tools/content-type-of-revision",
    "prompts/content-type-of-revision",
];

/// Whether the umbrella clauses leave the mismatch alone: another clause owns it, and that clause
/// has a case that holds in the revision (`is_built`).
pub fn is_owned(
    revision: Revision,
    method: &str,
    mismatch: &Mismatch,
    is_built: impl Fn(&str) -> bool,
) -> bool {
    let owned = |id| LENIENT.contains(&id) || is_built(id);
    owner(revision, method, mismatch).is_some_and(owned)
}

/// The clause that judges this mismatch in the result of `method`, or in a message of that method.
pub fn owner(revision: Revision, method: &str, mismatch: &Mismatch) -> Option<&'static str> {
    let place = place(method, mismatch);
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let is_message = mismatch.subject != "result";
    match (&mismatch.keyword, &place[..]) {
        (Keyword::Type, [.., "_meta"]) => return Some("jsonrpc/meta-object"),
        (Keyword::Type, ["params"]) if is_message && method != "roots/list" => {
            return Some("jsonrpc/params-object");
        }
        // A request without any id is a notification with the name of a request.
        (Keyword::Required(_), ["id"]) if method != "roots/list" => return None,
        (Keyword::Required(_), ["params", member])
            if method == "notifications/tasks/status" && *member != "ttl" =>
        {
            return Some("utilities/task-status-notification");
        }
        _ => {}
    }
    let known = match mismatch.subject {
        "result" => listed(results::PLACES, method, &place)?,
        "message" => listed(messages::PLACES, method, &place)?,
        _ => return None,
    };
    Some(match known {
        "tools/input-schema-valid" | "tools/output-schema-valid"
            if is_boolean_property(&place, mismatch) =>
        {
            "tools/schema-no-boolean-properties"
        }
        "tools/content-type-known" if is_of_later_revision(revision, mismatch) => {
            "tools/content-type-of-revision"
        }
        "prompts/content-type-known" if is_of_later_revision(revision, mismatch) => {
            "prompts/content-type-of-revision"
        }
        known => known,
    })
}

/// The place, with the kind behind the content block that has it.
fn place(method: &str, mismatch: &Mismatch) -> Vec<String> {
    let mut place: Vec<String> = mismatch.place().into_iter().map(str::to_owned).collect();
    let has_blocks = ["tools/call", "prompts/get", "sampling/createMessage"].contains(&method);
    if let Some(kind) = mismatch.kind.as_ref().filter(|_| has_blocks) {
        place.insert(kind.depth, format!("<{}>", kind.value));
    }
    place
}

fn listed(places: &[Places], method: &str, place: &[&str]) -> Option<&'static str> {
    let of_method = |of: &str| of == method || of == "*";
    let places = places
        .iter()
        .filter(|(of, _)| of_method(of))
        .flat_map(|(_, places)| *places);
    let fits = |pattern: &str| fits(&pattern.split('/').collect::<Vec<_>>(), place);
    places
        .into_iter()
        .find(|(pattern, _)| fits(pattern))
        .map(|(_, owner)| *owner)
}

fn fits(pattern: &[&str], place: &[&str]) -> bool {
    match (pattern, place) {
        (["**"], _) | ([], []) | ([""], []) => true,
        ([step, pattern @ ..], [name, place @ ..]) => {
            (*step == "*" || step == name) && fits(pattern, place)
        }
        _ => false,
    }
}

fn is_boolean_property(place: &[&str], mismatch: &Mismatch) -> bool {
    matches!(place, [.., "properties", _]) && ["true", "false"].contains(&&*mismatch.actual)
}

/// Whether a content block is of a type that only a later revision knows.
fn is_of_later_revision(revision: Revision, mismatch: &Mismatch) -> bool {
    let later = [r#""audio""#, r#""resource_link""#].contains(&&*mismatch.actual);
    revision < V2025_06_18 && mismatch.keyword == Keyword::Value && later
}
