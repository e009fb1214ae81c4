//! Objects that name a member twice.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{super::prelude::*, judged};

pub(super) const CASES: &[Case] = &[UNIQUE_MEMBERS];

const UNIQUE_MEMBERS: Case = Case::rule(
    Clause {
        id: "jsonrpc/unique-members",
        title: "No object of the server names a member twice",
        statement: "JSON objects that the server sends have distinct member names.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "architecture/index#message-types"),
            (V2025_03_26, "basic/index#messages"),
        ],
        fault: "duplicate-json-members",
    },
    Advice {
        why: "Parsers differ in which of the two wins, so two readers see two messages.",
        how: "Reads every message of the run with a parser that reports names that occur twice, \
            at any depth.",
        mend: "Build messages with a JSON library, from maps rather than by joining texts.",
    },
    Rule {
        subject: |event, _| judged(event).is_some(),
        holds: |event, past| {
            let Some(message) = judged(event) else {
                return Ok(());
            };
            match repeated(message.text().unwrap_or_default()) {
                None => Ok(()),
                Some(name) => broken_by(
                    format!("an object has the member `{}` twice", escaped(name)),
                    message,
                    past,
                ),
            }
        },
        unseen: "no message was received",
    },
);

/// A member name that occurs twice in one object, at any depth.
fn repeated(text: &[u8]) -> Option<String> {
    let mut found = None;
    let mut json = serde_json::Deserializer::from_slice(text);
    // An error means that it was found, or that the text is another clause's matter.
    Look(&mut found).deserialize(&mut json).ok();
    found
}

/// Walks through a value and stops at the first repeated name.
struct Look<'f>(&'f mut Option<String>);

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Look(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = Names::default();
        while let Some(name) = members.next_key_seed(Name)? {
            if let Some(twice) = names.add(name) {
                *self.0 = Some(twice.into_owned());
                return Err(A::Error::custom("a name occurs twice"));
            }
            members.next_value_seed(Look(self.0))?;
        }
        Ok(())
    }
}

/// The names of one object: a list while it is short, a set from then on.
#[derive(Default)]
struct Names<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Names<'de> {
    /// Adds a name; gives it back if it was there.
    fn add(&mut self, name: Cow<'de, str>) -> Option<Cow<'de, str>> {
        const FEW: usize = 8;
        if self.few.contains(&name) || self.many.contains(&name) {
            return Some(name);
        }
        if self.few.len() < FEW {
            self.few.push(name);
        } else {
            self.many.insert(name);
        }
        None
    }
}

/// A member name, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Cow<'de, str>, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::repeated;

    #[test]
    fn repeated_names_are_found_at_any_depth() {
        for (text, expected) in [
            (r#"{"a":1,"b":{"a":2}}"#, None),
            (r#"{"a":1,"a":2}"#, Some("a")),
            (
                r#"{"a":[{"b":null},{"b":true,"c":1.5,"\u0062":"x"}]}"#,
                Some("b"),
            ),
            (
                r#"{"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":-1,"10":0,"9":0}"#,
                Some("9"),
            ),
            (r#"{"a":1,"#, None),
        ] {
            assert_eq!(repeated(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }
}
