//! Resources: fixed ones, notes that a tool writes, and templates.

use serde_json::{Map, Value, json};

use super::{PNG, WAV, describe, page, text};
use crate::message::{self, RpcError};
use crate::revision::Revision;
use crate::session::{Cause, Outcome, Session};

/// The resource that every write changes.
pub(crate) const WATCHED: &str = "test://watched-resource";

struct Resource {
    uri: &'static str,
    title: &'static str,
    mime_type: &'static str,
    body: Body,
}

enum Body {
    Text(&'static str),
    /// Base64, and the number of bytes that it stands for.
    Blob(&'static str, u64),
}

const RESOURCES: &[Resource] = &[
    Resource {
        uri: "test://static-text",
        title: "Static text",
        mime_type: "text/plain",
        body: Body::Text("This is the text of a static resource.\nIt has two lines.\n"),
    },
    Resource {
        uri: "test://static-binary",
        title: "Static binary",
        mime_type: "image/png",
        body: Body::Blob(PNG, 70),
    },
    Resource {
        uri: "test://static-audio",
        title: "Static audio",
        mime_type: "audio/wav",
        body: Body::Blob(WAV, 44),
    },
    Resource {
        uri: "test://static-json",
        title: "Static JSON",
        mime_type: "application/json",
        body: Body::Text("{\"colours\":[\"red\",\"green\"]}"),
    },
    Resource {
        uri: "test://docs/guide",
        title: "Guide",
        mime_type: "text/markdown",
        body: Body::Text("# Guide\n\nThere is little to say.\n"),
    },
    Resource {
        uri: "test://docs/notes",
        title: "Release notes",
        mime_type: "text/markdown",
        body: Body::Text("# Notes\n\nNaïve, but complete.\n"),
    },
];

struct Template {
    uri_template: &'static str,
    name: &'static str,
    title: &'static str,
    mime_type: &'static str,
    variable: &'static str,
    prefix: &'static str,
    suffix: &'static str,
    values: &'static [&'static str],
}

const TEMPLATES: &[Template] = &[
    Template {
        uri_template: "test://template/{id}/data",
        name: "template-data",
        title: "Data by id",
        mime_type: "application/json",
        variable: "id",
        prefix: "test://template/",
        suffix: "/data",
        values: &["123", "124", "200"],
    },
    Template {
        uri_template: "test://greetings/{name}",
        name: "greetings",
        title: "Greeting by name",
        mime_type: "text/plain",
        variable: "name",
        prefix: "test://greetings/",
        suffix: "",
        values: &["ada", "alan", "grace"],
    },
];

impl Template {
    /// The value of the variable in a URI that the template expands to.
    fn value<'a>(&self, uri: &'a str) -> Option<&'a str> {
        let value = uri.strip_prefix(self.prefix)?.strip_suffix(self.suffix)?;
        (!value.is_empty() && !value.contains('/')).then_some(value)
    }
}

/// Serves `resources/list`.
pub(crate) fn list(session: &Session, revision: Revision, params: &Map<String, Value>) -> Outcome {
    let mut entries: Vec<Value> = RESOURCES
        .iter()
        .map(|resource| {
            let size = match resource.body {
                Body::Text(text) => text.len() as u64,
                Body::Blob(_, size) => size,
            };
            let mut entry = entry(resource.uri, resource.title, resource.mime_type, revision);
            entry["size"] = json!(size);
            entry
        })
        .collect();
    entries.push(entry(WATCHED, "Watched resource", "text/plain", revision));
    for name in session.state().notes.keys() {
        entries.push(entry(&note_uri(name), name, "text/plain", revision));
    }
    page::page("resources", entries, params)
}

/// Serves `resources/templates/list`.
pub(crate) fn templates(revision: Revision, params: &Map<String, Value>) -> Outcome {
    let entries = TEMPLATES.iter().map(|template| {
        let mut entry = json!({
            "uriTemplate": template.uri_template,
            "name": template.name,
            "description": format!("{}, made up when it is read", template.title),
            "mimeType": template.mime_type,
        });
        describe(&mut entry, template.title, revision);
        entry
    });
    page::page("resourceTemplates", entries.collect(), params)
}

/// Serves `resources/read`.
pub(crate) fn read(session: &Session, params: &Map<String, Value>) -> Outcome {
    let uri = text(params, "uri")?;
    match contents(session, uri) {
        Some(contents) => Ok(json!({ "contents": [contents] })),
        None => Err(not_found(uri)),
    }
}

/// Serves `resources/subscribe`.
pub(crate) fn subscribe(session: &Session, params: &Map<String, Value>) -> Outcome {
    let uri = text(params, "uri")?;
    if contents(session, uri).is_none() {
        return Err(not_found(uri));
    }
    session.state().subscriptions.insert(uri.to_owned());
    Ok(json!({}))
}

/// Serves `resources/unsubscribe`; one that was not there is gone already.
pub(crate) fn unsubscribe(session: &Session, params: &Map<String, Value>) -> Outcome {
    let uri = text(params, "uri")?;
    session.state().subscriptions.remove(uri);
    Ok(json!({}))
}

/// What a resource holds, if there is one at that URI.
pub(crate) fn contents(session: &Session, uri: &str) -> Option<Value> {
    let written =
        |mime_type: &str, text: String| json!({ "uri": uri, "mimeType": mime_type, "text": text });
    if let Some(resource) = RESOURCES.iter().find(|known| known.uri == uri) {
        return Some(match resource.body {
            Body::Text(text) => written(resource.mime_type, text.to_owned()),
            Body::Blob(blob, _) => {
                json!({ "uri": uri, "mimeType": resource.mime_type, "blob": blob })
            }
        });
    }
    if uri == WATCHED {
        let writes = session.state().writes;
        return Some(written("text/plain", format!("written {writes} times")));
    }
    if let Some(text) = uri
        .strip_prefix(NOTES)
        .and_then(|name| session.state().notes.get(name).cloned())
    {
        return Some(written("text/plain", text));
    }
    TEMPLATES.iter().find_map(|template| {
        let value = template.value(uri)?;
        let body = match template.variable {
            "id" => json!({ "id": value, "data": format!("data of {value}") }).to_string(),
            _ => format!("Hello, {value}."),
        };
        Some(written(template.mime_type, body))
    })
}

/// Writes a note, and tells whoever has to know.
pub(crate) fn write_note(session: &Session, cause: &Cause, name: &str, text: &str) {
    let uri = note_uri(name);
    let (is_new, updated) = {
        let mut state = session.state();
        state.writes += 1;
        let before = state.notes.insert(name.to_owned(), text.to_owned());
        let updated: Vec<String> = [uri.as_str(), WATCHED]
            .into_iter()
            .filter(|changed| state.subscriptions.contains(*changed))
            .map(str::to_owned)
            .collect();
        (before.is_none(), updated)
    };
    if is_new {
        let method = "notifications/resources/list_changed";
        session.announce(cause, message::notification(method, Value::Null));
    }
    for uri in updated {
        let method = "notifications/resources/updated";
        session.announce(cause, message::notification(method, json!({ "uri": uri })));
    }
}

/// The values of a template's variable, if there is such a template.
pub(crate) fn completions(uri_template: &str, variable: &str) -> Option<&'static [&'static str]> {
    TEMPLATES
        .iter()
        .find(|known| known.uri_template == uri_template && known.variable == variable)
        .map(|known| known.values)
}

const NOTES: &str = "test://notes/";

/// The URI of a note; names are restricted by the schema of the tool that writes them.
pub(crate) fn note_uri(name: &str) -> String {
    format!("{NOTES}{name}")
}

fn entry(uri: &str, title: &str, mime_type: &str, revision: Revision) -> Value {
    let name = uri.trim_start_matches("test://").replace('/', "-");
    let mut entry = json!({
        "uri": uri,
        "name": name,
        "description": format!("{title}, to be read"),
        "mimeType": mime_type,
        "annotations": { "audience": ["user", "assistant"], "priority": 0.5 },
    });
    describe(&mut entry, title, revision);
    if revision >= Revision::V2025_06_18 {
        entry["annotations"]["lastModified"] = json!("2025-06-18T00:00:00Z");
    }
    entry
}

fn not_found(uri: &str) -> RpcError {
    RpcError::new(-32002, "there is no such resource").with_data(json!({ "uri": uri }))
}
