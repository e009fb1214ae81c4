//! Faults in the icons of what is listed.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::scene::Asked;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "icon-file-scheme",
        violates: "utilities/icon-src",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            set_icons(
                asked,
                reply,
                "src",
                &json!("file:///usr/share/icons/prompt.png"),
            );
        }),
    },
    Fault {
        name: "icon-bad-sizes",
        violates: "utilities/icon-sizes",
        drags: &[],
        bend: Bend::Reply(|asked, reply| set_icons(asked, reply, "sizes", &json!(["48"]))),
    },
];

/// Sets a member of the icons of all prompts.
fn set_icons(asked: &Asked<'_>, reply: &mut Value, member: &str, value: &Value) {
    if !asked.is("prompts/list") {
        return;
    }
    let prompts = reply
        .pointer_mut("/result/prompts")
        .and_then(Value::as_array_mut);
    for icon in prompts
        .into_iter()
        .flatten()
        .filter_map(|p| p.pointer_mut("/icons/0"))
    {
        icon[member] = value.clone();
    }
}
