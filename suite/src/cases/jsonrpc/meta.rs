//! The metadata of the server's messages.

use memchr::memmem;

use super::{super::prelude::*, triage::kind};

pub(super) const CASES: &[Case] = &[META_OBJECT, META_KEY_FORMAT, META_RESERVED_PREFIX];

/// A `_meta` of a message, and where it stands.
struct Meta<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Meta<'a> {
    fn keys(&self) -> impl Iterator<Item = &'a str> {
        let members = self.value.as_object().into_iter().flatten();
        members.map(|(key, _)| key.as_str())
    }
}

/// Every `_meta` that the schema gives the server in the message of the event. Free JSON, such as
/// structured content and log data, is the server's own.
fn metas<'a>(event: &Event<'a>, past: &Past) -> Vec<Meta<'a>> {
    const NAME: &[u8] = b"\"_meta\"";
    let named = |message: &&Message| {
        let text = message.text().unwrap_or_default();
        memmem::find(text, NAME).is_some()
    };
    let mut found = Vec::new();
    let Some(message) = message(event).filter(named) else {
        return found;
    };
    if let Some(result) = message.result() {
        note(result, "result", &mut found);
        if let Some(asked) = past.client.asked(message).filter(|_| reaches_deeper(past)) {
            in_result(&asked.method, result, &mut found);
        }
    } else if let Some(params) = message.params() {
        note(params, "params", &mut found);
        if message.method.as_deref() == Some("sampling/createMessage") && reaches_deeper(past) {
            each(params, "messages", "params", |value, path| {
                if past.revision >= V2025_11_25 {
                    note(value, &path, &mut found);
                }
                contents(&value["content"], &format!("{path}.content"), &mut found);
            });
        }
    }
    found
}

/// Before, only params and results have a `_meta`.
fn reaches_deeper(past: &Past) -> bool {
    past.revision >= V2025_06_18
}

fn note<'a>(owner: &'a Value, path: &str, found: &mut Vec<Meta<'a>>) {
    if let Some(value) = owner.get("_meta") {
        let path = format!("{path}._meta");
        found.push(Meta { path, value });
    }
}

/// Does something with each element of a list, and its path.
fn each<'a>(owner: &'a Value, list: &str, path: &str, mut then: impl FnMut(&'a Value, String)) {
    let elements = owner[list].as_array().into_iter().flatten();
    for (number, element) in elements.enumerate() {
        then(element, format!("{path}.{list}[{number}]"));
    }
}

/// What a result holds that may have metadata of its own.
fn in_result<'a>(method: &str, result: &'a Value, found: &mut Vec<Meta<'a>>) {
    let list = match method {
        "tools/list" => "tools",
        "resources/list" => "resources",
        "resources/templates/list" => "resourceTemplates",
        "prompts/list" => "prompts",
        "resources/read" => "contents",
        "prompts/get" => {
            return each(result, "messages", "result", |value, path| {
                contents(&value["content"], &format!("{path}.content"), found);
            });
        }
        "tools/call" | "tasks/result" => {
            return contents(&result["content"], "result.content", found);
        }
        _ => return,
    };
    each(result, list, "result", |value, path| {
        note(value, &path, found)
    });
}

/// A content block or a list of them, each with the resource that it may embed.
fn contents<'a>(content: &'a Value, path: &str, found: &mut Vec<Meta<'a>>) {
    if let Some(blocks) = content.as_array() {
        for (number, block) in blocks.iter().enumerate() {
            contents(block, &format!("{path}[{number}]"), found);
        }
    } else {
        note(content, path, found);
        if content["type"] == "resource" {
            note(&content["resource"], &format!("{path}.resource"), found);
        } else if content["type"] == "tool_result" {
            contents(&content["content"], &format!("{path}.content"), found);
        }
    }
}

/// The clause was broken by something in the message of the event.
fn broken(text: String, event: &Event<'_>, past: &Past) -> Result<(), Stop> {
    match message(event) {
        Some(message) => broken_by(escaped(text), message, past),
        None => Ok(()),
    }
}

const META_OBJECT: Case = Case::rule(
    Clause {
        id: "jsonrpc/meta-object",
        title: "_meta is an object",
        statement: "Wherever the schema gives the server a `_meta` member, its value is an object.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/index#schema"),
            (V2025_06_18, "basic/index#general-fields"),
        ],
        fault: "meta-not-object",
    },
    Advice {
        why: "Strict clients drop the whole message for it.",
        how: "Looks at every `_meta` that the schema knows: of results and params, and from \
            2025-06-18 on of tools, resources, prompts and contents.",
        mend: "Leave the member out where there is nothing in it; serializers that write absent \
            values as null need to be told.",
    },
    Rule {
        subject: |event, past| !metas(event, past).is_empty(),
        holds: |event, past| {
            let metas = metas(event, past);
            match metas.iter().find(|meta| !meta.value.is_object()) {
                None => Ok(()),
                Some(Meta { path, value }) => {
                    let text = format!("`{path}` is {} and not an object", kind(Some(value)));
                    broken(text, event, past)
                }
            }
        },
        unseen: "the server sent no `_meta`",
    },
);

const META_KEY_FORMAT: Case = Case::rule(
    Clause {
        id: "jsonrpc/meta-key-format",
        title: "_meta keys follow the key grammar",
        statement: "A key is a name, optionally after a prefix of labels joined by dots and closed by \
            one slash. A label starts alphabetic and has its hyphens inside; a name, unless \
            empty, has its hyphens, underscores and dots inside; everything else is ASCII \
            letters and digits.",
        level: Level::Must,
        levels: &[],
        since: V2025_06_18,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_06_18, "basic/index#general-fields")],
        fault: "meta-key-underscore",
    },
    Advice {
        why: "Keys that keep to the form cannot clash with those of others and can be filtered \
            by their prefix.",
        how: "Matches every key of every `_meta` that the schema knows.",
        mend: "Write `com.example/name`, or a bare name of letters, digits, hyphens, underscores \
            and dots that begins and ends with a letter or digit.",
    },
    Rule {
        subject: |event, past| {
            metas(event, past)
                .iter()
                .any(|meta| meta.keys().next().is_some())
        },
        holds: |event, past| {
            for meta in metas(event, past) {
                if let Some(key) = meta.keys().find(|key| !is_key(key)) {
                    let text = format!("`{}` has the key `{key}`", meta.path);
                    return broken(text, event, past);
                }
            }
            Ok(())
        },
        unseen: "the server sent no `_meta` with a key",
    },
);

const META_RESERVED_PREFIX: Case = Case::rule(
    Clause {
        id: "jsonrpc/meta-reserved-prefix",
        title: "The server invents no keys under MCP's prefixes",
        statement: "Prefixes that are reserved for MCP are used only for keys that MCP defines.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2025_06_18,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_06_18, "basic/index#general-fields")],
        fault: "meta-reserved-prefix-invented",
    },
    Advice {
        why: "Later revisions may give such a key a meaning of their own.",
        how: "Looks at the prefix of every key of every `_meta` that the schema knows.",
        mend: "Put your own domain in front of your keys, in reverse order: `com.example/`.",
    },
    Rule {
        subject: |event, past| {
            let metas = metas(event, past);
            metas
                .iter()
                .flat_map(Meta::keys)
                .any(|key| key.contains('/'))
        },
        holds: |event, past| {
            for meta in metas(event, past) {
                let mut keys = meta.keys();
                if let Some(key) = keys.find(|key| is_reserved(key, past.revision)) {
                    let text = format!(
                        "`{}` has the key `{key}`, whose prefix is reserved",
                        meta.path
                    );
                    return broken(text, event, past);
                }
            }
            Ok(())
        },
        unseen: "the server sent no `_meta` with a key that has a prefix",
    },
);

/// Whether a key is a name, with a prefix or without.
fn is_key(key: &str) -> bool {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let ends = |text: &str| {
        let bytes = text.as_bytes();
        bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
    };
    let is_label = |label: &str| {
        ends(label)
            && label.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (name.is_empty() || (ends(name) && name.bytes().all(inside)))
        && prefix.is_none_or(|prefix| prefix.split('.').all(is_label))
}

/// Whether a prefix is kept for MCP. Under io.modelcontextprotocol/ official extensions mint keys
/// of their own, so that one is not judged.
fn is_reserved(key: &str, revision: Revision) -> bool {
    let Some((prefix, _)) = key.split_once('/') else {
        return false;
    };
    let labels: Vec<&str> = prefix.split('.').collect();
    let ours = |label: &&str| matches!(*label, "modelcontextprotocol" | "mcp");
    let reserved = match revision {
        V2025_06_18 => labels.iter().rev().skip(1).any(ours),
        _ => labels.get(1).is_some_and(ours),
    };
    reserved && prefix != "io.modelcontextprotocol"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_the_grammar() {
        for key in [
            "",
            "a",
            "a-b_c.d",
            "com.example/",
            "com.ex-ample/a.b",
            "x/1",
            "9",
        ] {
            assert!(is_key(key), "{key}");
        }
        for key in [
            "_a",
            "my key",
            "a/b/c",
            "2nd.org/x",
            "a-",
            "com..example/x",
            "-a.b/x",
            "/x",
            "\u{e9}",
        ] {
            assert!(!is_key(key), "{key}");
        }
    }

    #[test]
    fn the_two_revisions_reserve_different_prefixes() {
        for (key, in_june, in_november) in [
            ("mcp.dev/x", true, false),
            ("dev.mcp/x", false, true),
            ("com.mcp.tools/x", true, true),
            ("com.example.mcp/x", false, false),
            ("io.modelcontextprotocol/x", false, false),
            ("api.modelcontextprotocol.org/x", true, true),
            ("mcp", false, false),
        ] {
            assert_eq!(is_reserved(key, V2025_06_18), in_june, "{key}");
            assert_eq!(is_reserved(key, V2025_11_25), in_november, "{key}");
        }
    }
}
