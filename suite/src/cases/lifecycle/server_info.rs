//! How the server identifies itself.

use super::{answer, nature};
use crate::cases::prelude::*;

/// The message, and the `serverInfo` of the result of `initialize` that it is.
fn info<'a>(event: &Event<'a>, past: &Past) -> Option<(&'a Message, &'a Value)> {
    let (message, result) = answer::result(event, past)?;
    Some((
        message,
        result.get("serverInfo").filter(|info| info.is_object())?,
    ))
}

fn has_info(event: &Event<'_>, past: &Past) -> bool {
    info(event, past).is_some()
}

const NO_INFO: &str = "no answer to `initialize` has a serverInfo object";

/// Refuses a member that is no string; an optional one may be missing.
fn string(event: &Event<'_>, past: &Past, name: &str, optional: bool) -> Result<(), Stop> {
    let Some((message, info)) = info(event, past) else {
        return Ok(());
    };
    match info.get(name) {
        Some(Value::String(_)) => Ok(()),
        None if optional => Ok(()),
        other => broken_by(
            format!(
                "`serverInfo.{name}` is {}, where a string should be",
                nature(other)
            ),
            message,
            past,
        ),
    }
}

pub(super) const SERVER_INFO: Case = Case::rule(
    Clause {
        id: "lifecycle/server-info",
        title: "The result identifies the server",
        statement: "The initialize result has a member `serverInfo` that is an object.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "server-info-missing",
    },
    Advice {
        why: "Clients show it, and many crash if it is missing.",
        how: "Every result of `initialize` in the run is read.",
        mend: "Give `serverInfo` with a name and a version.",
    },
    Rule {
        subject: |event, past| answer::result(event, past).is_some(),
        holds: |event, past| match answer::result(event, past) {
            Some((message, result)) if !result["serverInfo"].is_object() => broken_by(
                format!(
                    "`serverInfo` is {}, where an object should be",
                    nature(result.get("serverInfo"))
                ),
                message,
                past,
            ),
            _ => Ok(()),
        },
        unseen: answer::NO_RESULT,
    },
);

pub(super) const NAME: Case = Case::rule(
    Clause {
        id: "lifecycle/server-info-name",
        title: "serverInfo has a name",
        statement: "`serverInfo.name` is a string.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "server-info-name-missing",
    },
    Advice {
        why: "Clients tell servers apart by it, in their lists and in their logs.",
        how: "Every `serverInfo` of the run is read.",
        mend: "Give `serverInfo.name` as a string.",
    },
    Rule {
        subject: has_info,
        holds: |event, past| string(event, past, "name", false),
        unseen: NO_INFO,
    },
);

pub(super) const VERSION: Case = Case::rule(
    Clause {
        id: "lifecycle/server-info-version",
        title: "serverInfo has a version",
        statement: "`serverInfo.version` is a string.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "server-info-version-missing",
    },
    Advice {
        why: "Clients that check types refuse the whole answer for it, and reports of bugs lack \
            the version.",
        how: "Every `serverInfo` of the run is read.",
        mend: "Give `serverInfo.version` as a string, in quotes: `1.0` without them is a number.",
    },
    Rule {
        subject: has_info,
        // The Python SDK v2 sends an empty one where the author gave none.
        holds: |event, past| string(event, past, "version", false),
        unseen: NO_INFO,
    },
);

pub(super) const TITLE: Case = Case::rule(
    Clause {
        id: "lifecycle/server-info-title",
        title: "serverInfo.title is a string where present",
        statement: "An optional display title of the server is a string.",
        level: Level::Must,
        levels: &[],
        since: V2025_06_18,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2025_06_18, "basic/lifecycle#initialization"),
            (V2025_11_25, "schema#implementation"),
        ],
        fault: "server-info-title-null",
    },
    Advice {
        why: "Clients that check types refuse the whole answer for it.",
        how: "Every `serverInfo` of the run is read.",
        mend: "Leave `title` out where there is none: `null` is no string.",
    },
    Rule {
        subject: has_info,
        holds: |event, past| string(event, past, "title", true),
        unseen: NO_INFO,
    },
);

pub(super) const DESCRIPTION: Case = Case::rule(
    Clause {
        id: "lifecycle/server-info-description",
        title: "serverInfo.description is a string where present",
        statement: "An optional description of the server is a string.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_11_25, "schema#implementation")],
        fault: "server-info-description-null",
    },
    Advice {
        why: "Clients that check types refuse the whole answer for it.",
        how: "Every `serverInfo` of the run is read.",
        mend: "Leave `description` out where there is none: `null` is no string.",
    },
    Rule {
        subject: has_info,
        holds: |event, past| string(event, past, "description", true),
        unseen: NO_INFO,
    },
);

pub(super) const WEBSITE_URL: Case = Case::rule(
    Clause {
        id: "lifecycle/server-info-website-url",
        title: "serverInfo.websiteUrl is a URL where present",
        statement: "An optional website address of the server is a string that is an absolute URI.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_11_25, "schema#implementation")],
        fault: "server-info-website-relative",
    },
    Advice {
        why: "Clients make a link of it, and a link without a scheme leads nowhere.",
        how: "Every `serverInfo` of the run is read.",
        mend: "Write the address out in full, as in `https://example.com/docs`.",
    },
    Rule {
        subject: has_info,
        holds: |event, past| {
            string(event, past, "websiteUrl", true)?;
            let Some((message, info)) = info(event, past) else {
                return Ok(());
            };
            match info["websiteUrl"].as_str() {
                Some(url) if !is_absolute(url) => broken_by(
                    format!(
                        "`serverInfo.websiteUrl` is `{}`, which is no absolute URI",
                        escaped(url)
                    ),
                    message,
                    past,
                ),
                _ => Ok(()),
            }
        },
        unseen: NO_INFO,
    },
);

/// Whether a text begins with a scheme and goes on. Which scheme is the server's own business.
fn is_absolute(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else {
        return false;
    };
    let letters = |letter: u8| letter.is_ascii_alphanumeric() || b"+-.".contains(&letter);
    scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.bytes().all(letters)
        && !rest.is_empty()
        && !uri.contains(char::is_whitespace)
}

pub(super) const ICONS: Case = Case::rule(
    Clause {
        id: "lifecycle/server-info-icons",
        title: "serverInfo.icons has the schema's shape",
        statement: "Optional icons of the server are an array of objects with a string `src`; mimeType \
            is a string, sizes an array of strings and theme light or dark where present.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_11_25, "basic/index#icons")],
        fault: "server-info-icon-without-src",
    },
    Advice {
        why: "Clients that check types refuse the whole answer for it, and others show no icon.",
        how: "Every `serverInfo` of the run is read.",
        mend: "Give an array of objects, each with a `src`; `sizes` is an array such as \
            `[\"48x48\"]`.",
    },
    Rule {
        subject: has_info,
        holds: |event, past| {
            let Some((message, info)) = info(event, past) else {
                return Ok(());
            };
            let wrong = match info.get("icons") {
                None => None,
                Some(Value::Array(icons)) => icons.iter().find_map(wrong_with_icon),
                other => Some(format!("is {}, where an array should be", nature(other))),
            };
            match wrong {
                Some(wrong) => broken_by(format!("`serverInfo.icons` {wrong}"), message, past),
                None => Ok(()),
            }
        },
        unseen: NO_INFO,
    },
);

/// What is wrong with an icon, to stand behind the name of the list.
fn wrong_with_icon(icon: &Value) -> Option<String> {
    let Some(members) = icon.as_object() else {
        return Some(format!(
            "holds {}, where an object should be",
            nature(Some(icon))
        ));
    };
    let wrong = |name: &str, expected: &str| {
        let actual = nature(members.get(name));
        Some(format!(
            "holds an icon whose `{name}` is {actual}, where {expected} should be"
        ))
    };
    if !members.get("src").is_some_and(Value::is_string) {
        return wrong("src", "a string");
    }
    if members.get("mimeType").is_some_and(|it| !it.is_string()) {
        return wrong("mimeType", "a string");
    }
    match members.get("sizes") {
        None => {}
        Some(Value::Array(sizes)) if sizes.iter().all(Value::is_string) => {}
        Some(Value::Array(_)) => {
            return Some("holds an icon with a size that is no string".to_owned());
        }
        Some(_) => return wrong("sizes", "an array"),
    }
    match members.get("theme") {
        None => None,
        Some(theme) if *theme == "light" || *theme == "dark" => None,
        Some(_) => Some("holds an icon whose `theme` is neither `light` nor `dark`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_uri_has_a_scheme() {
        for (uri, expected) in [
            ("https://example.com", true),
            ("mailto:a@example.com", true),
            ("example.com", false),
            ("/docs", false),
            ("//example.com/a:b", false),
            ("https:", false),
            ("http://a b", false),
            ("", false),
        ] {
            assert_eq!(is_absolute(uri), expected, "{uri}");
        }
    }

    #[test]
    fn an_icon_has_the_shape_of_the_schema() {
        assert_eq!(wrong_with_icon(&json!({ "src": "data:," })), None);
        let whole = json!({ "src": "a", "mimeType": "b", "sizes": ["any"], "theme": "dark" });
        assert_eq!(wrong_with_icon(&whole), None);
        for bad in [
            json!("a"),
            json!({}),
            json!({ "src": null }),
            json!({ "src": "a", "mimeType": 1 }),
            json!({ "src": "a", "sizes": "48x48" }),
            json!({ "src": "a", "sizes": [48] }),
            json!({ "src": "a", "theme": "blue" }),
        ] {
            assert!(wrong_with_icon(&bad).is_some(), "{bad}");
        }
    }
}
