//! A walk over a value that does not fit: the deepest causes, in the order of the value.
//!
//! The validator decides whether a value fits; the walk says why not. It does so itself because
//! what the validator collects grows with everything that is wrong, and a hostile server would fill
//! the memory with it; because a union is explained by the kind that the value says it is; and
//! because a `$ref` beside other keywords would tell everything twice.

use serde_json::{Map, Value, json};

use super::mismatch::{
    Keyword, Kind, LIMIT, Leaves, Mismatch, Mismatches, SEEN, Step, any_of, article, described,
    path, shown,
};

/// A schema or a part of one, apart from those that allow everything.
pub(super) type Part = &'static Map<String, Value>;

/// How the schemas refer to a definition of theirs.
pub(super) const DEFINITIONS: &str = "#/$defs/";

/// Whether the walk goes by the keyword, or the keyword demands nothing. Any other one is put to the
/// validator.
pub(super) fn is_known(keyword: &str) -> bool {
    let demands_nothing = matches!(
        keyword,
        "$comment" | "$defs" | "$schema" | "contentEncoding" | "format" | "title"
    );
    let structure = matches!(
        keyword,
        "$ref" | "allOf" | "anyOf" | "oneOf" | "additionalProperties" | "items" | "properties"
    );
    let demand = matches!(
        keyword,
        "const" | "enum" | "maxItems" | "maximum" | "minItems" | "minimum" | "required" | "type"
    );
    demands_nothing || structure || demand
}

/// The walk, at one place of the value.
pub(super) struct Walk<'a> {
    /// What references name.
    pub(super) definitions: &'static Map<String, Value>,
    pub(super) subject: &'static str,
    pub(super) definition: &'static str,
    pub(super) steps: Vec<Step>,
    pub(super) kind: Option<Kind>,
    pub(super) found: Vec<Mismatch>,
    /// What is not found, if anything is not.
    pub(super) leaves: Option<Leaves<'a>>,
    /// How many mismatches there were, left ones as well.
    pub(super) seen: usize,
    pub(super) cut: bool,
}

impl<'a> Walk<'a> {
    /// How `value` departs from `schemas`, which it does not fit; none if all of that is left to
    /// others.
    pub(super) fn over(
        definitions: &'static Map<String, Value>,
        [subject, definition]: [&'static str; 2],
        schemas: &[&'static Value],
        value: &Value,
        leaves: Option<Leaves<'a>>,
    ) -> Option<Mismatches> {
        let mut walk = Walk {
            definitions,
            subject,
            definition,
            steps: Vec::new(),
            kind: None,
            found: Vec::new(),
            leaves,
            seen: 0,
            cut: false,
        };
        walk.value(schemas, value);
        if walk.seen == 0 {
            // The validator refuses for a reason that the walk does not see.
            let expected = format!("a value that fits `{definition}`");
            walk.push(Keyword::Other("$ref"), expected, described(value));
        }
        (!walk.found.is_empty()).then(|| Mismatches::new(walk.found, walk.cut))
    }

    /// Judges the value at hand. If it is of the wrong type, nothing else is said of it.
    pub(super) fn value(&mut self, schemas: &[&'static Value], value: &Value) {
        let parts = self.parts(schemas);
        if self.is_another_value(&parts, value) {
            return;
        }
        for part in &parts {
            self.range(part, value);
            self.other(part, value);
            for branches in ["anyOf", "oneOf"].map(|key| list(part, key)) {
                self.union(branches, value);
            }
        }
        match value {
            Value::Object(members) => self.object(&parts, members),
            Value::Array(items) => self.array(&parts, items),
            _ => {}
        }
    }

    /// The schemas with what they refer to and are made of, each part once.
    pub(super) fn parts(&self, schemas: &[&'static Value]) -> Vec<Part> {
        let mut parts = Vec::new();
        for schema in schemas {
            self.gather(schema, &mut parts);
        }
        parts
    }

    fn gather(&self, schema: &'static Value, parts: &mut Vec<Part>) {
        let Value::Object(part) = schema else {
            return;
        };
        if parts.iter().any(|known| std::ptr::eq(*known, part)) {
            return;
        }
        let target = part.get("$ref").and_then(Value::as_str);
        let name = target.and_then(|target| target.strip_prefix(DEFINITIONS));
        if let Some(schema) = name.and_then(|name| self.definitions.get(name)) {
            self.gather(schema, parts);
        }
        for schema in list(part, "allOf") {
            self.gather(schema, parts);
        }
        parts.push(part);
    }

    /// Whether the value is of another type, or not one of those named.
    fn is_another_value(&mut self, parts: &[Part], value: &Value) -> bool {
        for part in parts {
            let types = part.get("type").map(types).unwrap_or_default();
            if !types.is_empty() && !types.iter().any(|name| is_of_type(name, value)) {
                self.mistyped(&types, value);
                return true;
            }
        }
        for part in parts {
            let wanted = wanted(part);
            if !wanted.is_empty() && !is_among(wanted, value) {
                self.misvalued(wanted, value);
                return true;
            }
        }
        false
    }

    pub(super) fn mistyped(&mut self, types: &[&'static str], value: &Value) {
        let names: Vec<String> = types.iter().map(|name| article(name)).collect();
        self.push(Keyword::Type, any_of(&names), described(value));
    }

    pub(super) fn misvalued<'w>(
        &mut self,
        wanted: impl IntoIterator<Item = &'w Value>,
        value: &Value,
    ) {
        let mut words = Vec::new();
        for word in wanted.into_iter().map(shown) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        self.push(Keyword::Value, any_of(&words), shown(value));
    }

    pub(super) fn missing(&mut self, member: &'static str) {
        self.lacking(Keyword::Required(member), &[member]);
    }

    pub(super) fn missing_any(&mut self, members: Vec<&'static str>) {
        self.lacking(Keyword::RequiredAny(members.clone()), &members);
    }

    fn lacking(&mut self, keyword: Keyword, members: &[&str]) {
        let quoted: Vec<String> = members.iter().map(|name| format!("`{name}`")).collect();
        let expected = format!("a member {}", any_of(&quoted));
        self.push(keyword, expected, "no such member".to_owned());
    }

    fn range(&mut self, part: Part, value: &Value) {
        let bound = |key| Some((part.get(key)?.as_f64()?, value.as_f64()?));
        let least = bound("minimum").filter(|(least, number)| number < least);
        let most = bound("maximum").filter(|(most, number)| number > most);
        let wanted = [
            least.map(|(least, _)| format!("{least} or more")),
            most.map(|(most, _)| format!("{most} or less")),
        ];
        for wanted in wanted.into_iter().flatten() {
            self.push(Keyword::Range, wanted, value.to_string());
        }
    }

    /// Keywords that our schemas do not use so far. One with a reference in it says nothing here.
    fn other(&mut self, part: Part, value: &Value) {
        for (key, demand) in part.iter().filter(|(key, _)| !is_known(key)) {
            let schema = json!({ key: demand });
            if jsonschema::validator_for(&schema).is_ok_and(|alone| !alone.is_valid(value)) {
                let wanted = match demand {
                    Value::String(pattern) if key == "pattern" => {
                        format!("text that matches `{pattern}`")
                    }
                    _ => format!("a value that fits `{schema}`"),
                };
                self.push(Keyword::Other(key), wanted, described(value));
            }
        }
    }

    fn object(&mut self, parts: &[Part], members: &Map<String, Value>) {
        for part in parts {
            let required = list(part, "required").iter().filter_map(Value::as_str);
            for name in required.filter(|name| !members.contains_key(*name)) {
                self.missing(name);
            }
        }
        for (name, value) in members {
            let schemas: Vec<_> = parts.iter().filter_map(|part| member(part, name)).collect();
            self.step(|| Step::Member(name.clone()), &schemas, value);
        }
    }

    fn array(&mut self, parts: &[Part], items: &[Value]) {
        let len = items.len() as u64;
        for part in parts {
            let bound = |key| part.get(key).and_then(Value::as_u64);
            let least = bound("minItems").filter(|least| len < *least);
            let most = bound("maxItems").filter(|most| len > *most);
            let wanted = [
                least.map(|least| format!("{least} or more items")),
                most.map(|most| format!("{most} or fewer items")),
            ];
            for wanted in wanted.into_iter().flatten() {
                self.push(Keyword::Length, wanted, len.to_string());
            }
        }
        let schemas: Vec<_> = parts.iter().filter_map(|part| part.get("items")).collect();
        for (index, item) in items.iter().enumerate() {
            self.step(|| Step::Item(index), &schemas, item);
        }
    }

    fn step(&mut self, step: impl Fn() -> Step, schemas: &[&'static Value], value: &Value) {
        if schemas.is_empty() || self.cut {
            return;
        }
        self.steps.push(step());
        self.value(schemas, value);
        self.steps.pop();
    }

    pub(super) fn push(&mut self, keyword: Keyword, expected: String, actual: String) {
        let mismatch = Mismatch {
            subject: self.subject,
            definition: self.definition,
            steps: self.steps.clone(),
            keyword,
            kind: self.kind.clone(),
            path: path(&self.steps),
            expected,
            actual,
        };
        self.add(mismatch);
    }

    pub(super) fn add(&mut self, mismatch: Mismatch) {
        if self.found.contains(&mismatch) {
            return;
        }
        self.seen += 1;
        let is_left = self.leaves.is_some_and(|leaves| leaves(&mismatch));
        if self.seen >= SEEN || !is_left && self.found.len() == LIMIT {
            self.cut = true;
        } else if !is_left {
            self.found.push(mismatch);
        }
    }
}

/// The schema of a member, if the part says anything about it.
fn member(part: Part, name: &str) -> Option<&'static Value> {
    part.get("properties")
        .and_then(|properties| properties.get(name))
        .or_else(|| part.get("additionalProperties"))
}

pub(super) fn list(part: Part, key: &str) -> &'static [Value] {
    part.get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The values that a part names, if it names any.
pub(super) fn wanted(part: Part) -> &'static [Value] {
    part.get("const")
        .map_or(list(part, "enum"), std::slice::from_ref)
}

/// Whether the value is one of those; `1.0` and `1` are the same.
pub(super) fn is_among(wanted: &[Value], value: &Value) -> bool {
    let number = |known: &Value| known.is_number() && known.as_f64() == value.as_f64();
    wanted.iter().any(|known| known == value || number(known))
}

pub(super) fn types(demand: &'static Value) -> Vec<&'static str> {
    match demand {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        name => name.as_str().into_iter().collect(),
    }
}

/// Whether the value is of the JSON type; a number with a zero fraction is an integer.
pub(super) fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => match value.as_f64() {
            Some(number) => value.is_i64() || value.is_u64() || number.fract() == 0.0,
            None => false,
        },
        _ => false,
    }
}
