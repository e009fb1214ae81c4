//! Values that may be of several kinds: what is wrong is told of the kind that the value says it
//! is, or comes closest to.

use std::cmp::Reverse;

use serde_json::Value;

use super::{
    mismatch::{Keyword, Kind, Mismatch, Step},
    walk::{Walk, is_among, is_of_type, list, types, wanted},
};

/// A member that may tell kinds apart, as one kind has it.
struct Tag {
    member: &'static str,
    values: &'static [Value],
    required: bool,
}

impl Walk<'_> {
    /// Judges a value that has to fit one of `branches`.
    pub(super) fn union(&mut self, branches: &'static [Value], value: &Value) {
        if branches.is_empty() {
            return;
        }
        let mut kinds = Vec::new();
        for branch in branches {
            self.spread(branch, &mut kinds);
        }
        let (those, others): (Vec<_>, Vec<_>) =
            kinds.into_iter().partition(|kind| self.admits(kind, value));
        match self.telling(&those) {
            _ if those.is_empty() => {
                let mut types = Vec::new();
                for name in others.iter().flat_map(|kind| self.types_of(kind)) {
                    if !types.contains(&name) {
                        types.push(name);
                    }
                }
                self.mistyped(&types, value);
            }
            Some(tags) if value.is_object() => self.tagged(&those, &tags, value),
            _ => self.closest(&those, value),
        }
    }

    /// Judges an object by the kinds that have its tag; it cannot be of another one.
    fn tagged(&mut self, kinds: &[&'static Value], tags: &[Tag], value: &Value) {
        let member = tags[0].member;
        let said = value.get(member);
        let has = |tag: &Tag| said.map_or(!tag.required, |said| is_among(tag.values, said));
        let those = kinds.iter().zip(tags).filter(|(_, tag)| has(tag));
        let those: Vec<&Value> = those.map(|(kind, _)| *kind).collect();
        let mut known = tags.iter().flat_map(|tag| tag.values);
        match said {
            None if those.is_empty() => self.missing(member),
            Some(said) if those.is_empty() => {
                self.steps.push(Step::Member(member.to_owned()));
                self.misvalued(known, said);
                self.steps.pop();
            }
            _ => {
                let depth = self.steps.len();
                let value_of = |known: &'static Value| known.as_str();
                let kind = known.find(|known| Some(*known) == said).and_then(value_of);
                let kind = kind.map(|value| Kind {
                    member,
                    value,
                    depth,
                });
                let outer = std::mem::replace(&mut self.kind, kind);
                self.closest(&those, value);
                self.kind = outer;
            }
        }
    }

    /// Tells what all kinds find wrong, and what else the closest one does.
    fn closest(&mut self, kinds: &[&'static Value], value: &Value) {
        if let [only] = kinds {
            return self.value(&[only], value);
        }
        let mut runs: Vec<_> = kinds.iter().map(|kind| self.alone(kind, value)).collect();
        let Some((first, others)) = runs.split_first() else {
            return;
        };
        let in_all = |found: &&Mismatch| others.iter().all(|run| run.contains(found));
        let shared: Vec<Mismatch> = first.iter().filter(in_all).cloned().collect();
        for run in &mut runs {
            run.retain(|found| !shared.contains(found));
        }
        shared.into_iter().for_each(|found| self.add(found));
        if runs.iter().any(Vec::is_empty) {
            return;
        }
        let lacks = |run: &Vec<Mismatch>| match &run[..] {
            [only] if only.steps.len() == self.steps.len() => match only.keyword {
                Keyword::Required(member) => Some(member),
                _ => None,
            },
            _ => None,
        };
        match runs.iter().map(lacks).collect::<Option<Vec<_>>>() {
            Some(members) => self.missing_any(members),
            None => {
                let best = runs.into_iter().min_by_key(|run| self.distance(run));
                best.into_iter().flatten().for_each(|found| self.add(found));
            }
        }
    }

    /// How far the value is from a kind in which all this is wrong: a member that names another kind
    /// weighs most, and what is wrong deep inside least.
    fn distance(&self, run: &[Mismatch]) -> (bool, Reverse<usize>, usize) {
        let here = self.steps.len();
        let other =
            |found: &Mismatch| found.keyword == Keyword::Value && found.steps.len() == here + 1;
        let deepest = run.iter().map(|found| found.steps.len()).max();
        (
            run.iter().any(other),
            Reverse(deepest.unwrap_or(here)),
            run.len(),
        )
    }

    /// What is wrong with the value by one kind.
    fn alone(&self, kind: &'static Value, value: &Value) -> Vec<Mismatch> {
        let mut walk = Walk {
            steps: self.steps.clone(),
            kind: self.kind.clone(),
            found: Vec::new(),
            // How close a kind comes is for all that is wrong to say.
            leaves: None,
            seen: 0,
            cut: false,
            ..*self
        };
        walk.value(&[kind], value);
        walk.found
    }

    /// The kinds of a branch, which may be nothing but a union itself.
    fn spread(&self, branch: &'static Value, kinds: &mut Vec<&'static Value>) {
        let parts = self.parts(&[branch]);
        let mut keys = parts.iter().flat_map(|part| part.keys());
        let inner: Vec<_> = parts.iter().flat_map(|part| list(part, "anyOf")).collect();
        if inner.is_empty() || keys.any(|key| key != "$ref" && key != "anyOf") {
            return kinds.push(branch);
        }
        for branch in inner {
            self.spread(branch, kinds);
        }
    }

    /// The types that a kind may be of, if it names any.
    fn types_of(&self, kind: &'static Value) -> Vec<&'static str> {
        let parts = self.parts(&[kind]);
        let types = parts.iter().find_map(|part| part.get("type").map(types));
        types.unwrap_or_default()
    }

    fn admits(&self, kind: &'static Value, value: &Value) -> bool {
        let types = self.types_of(kind);
        types.is_empty() || types.iter().any(|name| is_of_type(name, value))
    }

    /// The tag of each kind, if a member that all of them have tells any two apart.
    fn telling(&self, kinds: &[&'static Value]) -> Option<Vec<Tag>> {
        let (first, others) = kinds.split_first()?;
        self.tags(first).into_iter().find_map(|tag| {
            let same = |kind| {
                self.tags(kind)
                    .into_iter()
                    .find(|other| other.member == tag.member)
            };
            let others = others
                .iter()
                .map(|kind| same(kind))
                .collect::<Option<Vec<_>>>()?;
            let differ = others.iter().any(|other| other.values != tag.values);
            differ.then(|| std::iter::once(tag).chain(others).collect())
        })
    }

    /// The members of a kind that have one of a few values.
    fn tags(&self, kind: &'static Value) -> Vec<Tag> {
        let parts = self.parts(&[kind]);
        let required = |name: &str| {
            let mut required = parts.iter().flat_map(|part| list(part, "required"));
            required.any(|member| member == name)
        };
        let members = parts
            .iter()
            .filter_map(|part| part.get("properties")?.as_object());
        let tag = |(member, schema): (&'static String, &'static Value)| {
            let values = wanted(schema.as_object()?);
            (!values.is_empty()).then(|| Tag {
                member,
                values,
                required: required(member),
            })
        };
        members.flatten().filter_map(tag).collect()
    }
}
