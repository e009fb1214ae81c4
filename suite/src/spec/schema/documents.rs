//! The schemas of the protocol, parsed and compiled when they are first needed.

use std::{collections::HashMap, sync::OnceLock};

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Map, Value, json};

use super::walk::DEFINITIONS;
use crate::spec::Revision;

/// The definitions of one revision.
pub(super) struct Document {
    /// The definitions, by name.
    pub(super) definitions: &'static Map<String, Value>,
    base: String,
    registry: Registry<'static>,
    validators: HashMap<&'static str, OnceLock<Validator>>,
}

impl Document {
    /// The definitions of `revision`; the file is parsed once in a process.
    pub(super) fn of(revision: Revision) -> &'static Document {
        static ROOTS: [OnceLock<Value>; 5] = [const { OnceLock::new() }; 5];
        static DOCUMENTS: [OnceLock<Document>; 5] = [const { OnceLock::new() }; 5];
        let at = revision as usize;
        DOCUMENTS[at].get_or_init(|| {
            let parsed = || serde_json::from_str(schemas::MCP[at].1).expect("our schemas are JSON");
            Document::new(ROOTS[at].get_or_init(parsed), format!("mcp:{revision}"))
        })
    }

    fn new(root: &'static Value, base: String) -> Document {
        let definitions = root["$defs"].as_object().expect("our schemas define types");
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(&base, root)
            .and_then(|registry| registry.prepare())
            .expect("our schemas refer to nothing but themselves");
        let names = definitions.keys().map(String::as_str);
        Document {
            definitions,
            base,
            registry,
            validators: names.map(|name| (name, OnceLock::new())).collect(),
        }
    }

    /// The name as the document has it, and the definition.
    ///
    /// # Panics
    /// If the document has no such definition: names are ours, never a server's.
    pub(super) fn definition(&self, name: &str) -> (&'static str, &'static Value) {
        let known = self.definitions.get_key_value(name);
        let (name, definition) =
            known.unwrap_or_else(|| panic!("{} has no definition `{name}`", self.base));
        (name, definition)
    }

    /// Whether `value` fits the definition.
    ///
    /// # Panics
    /// As [`Document::definition`].
    pub(super) fn fits(&'static self, name: &str, value: &Value) -> bool {
        let (name, _) = self.definition(name);
        self.validators[name]
            .get_or_init(|| {
                jsonschema::options()
                    .with_draft(Draft::Draft202012)
                    .with_registry(&self.registry)
                    .should_validate_formats(false)
                    .build(&json!({ "$ref": format!("{}{DEFINITIONS}{name}", self.base) }))
                    .expect("our definitions compile")
            })
            .is_valid(value)
    }
}
