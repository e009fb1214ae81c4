//! An option with its value, whether it comes from the file or from the command line.

use super::keys::{Key, Kind};

/// An option that is set.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) key: &'static Key,
    /// The name in front of the value, where the option is a table.
    pub(super) entry: Option<String>,
    pub(super) value: Value,
    /// Where it stands in the file; none if it is of the command line.
    pub(super) at: Option<usize>,
}

/// What an option is set to.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Whether it is given at all.
    Flag(bool),
    /// Each time it is given.
    Texts(Vec<String>),
}

impl Setting {
    /// The option as the command line has it.
    pub(super) fn words(&self) -> Vec<String> {
        let name = &self.key.name;
        let Value::Texts(texts) = &self.value else {
            let given = matches!(self.value, Value::Flag(true));
            let word = match &self.entry {
                Some(entry) => format!("--{name}={entry}"),
                None => format!("--{name}"),
            };
            return given.then_some(word).into_iter().collect();
        };
        let word = |text: &String| match (&self.entry, self.key.kind) {
            (Some(entry), Kind::Table(between)) => format!("--{name}={entry}{between}{text}"),
            _ => format!("--{name}={text}"),
        };
        texts.iter().map(word).collect()
    }

    /// Whether it takes the place of `far`: the same option, the same entry of a table, or what
    /// cannot stand beside it.
    fn replaces(&self, far: &Setting) -> bool {
        if self.key.name != far.key.name {
            let given = !matches!(self.value, Value::Flag(false));
            return given && self.key.conflicts_with(far.key);
        }
        match (&self.entry, &far.entry) {
            (Some(near), Some(far)) if self.key.name == "header" => near.eq_ignore_ascii_case(far),
            (near, far) => near == far,
        }
    }
}

/// What is set when `near` overrides `far`.
pub(super) fn overlaid(far: Vec<Setting>, near: Vec<Setting>) -> Vec<Setting> {
    let mut all = far;
    all.retain(|far| !near.iter().any(|near| near.replaces(far)));
    all.extend(near);
    all
}
