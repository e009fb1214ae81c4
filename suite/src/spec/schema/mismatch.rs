//! Where a value departs from its definition, in words for the author of a server.

use std::fmt::{self, Write};

use serde_json::Value;

/// How many mismatches of one value are told apart. The first is what its author needs, and what a
/// hostile server sends stays cheap.
pub const LIMIT: usize = 16;

/// How many mismatches of one value are looked at for those that are not left to others.
pub const SEEN: usize = 1024;

/// Whether a mismatch is left to others, as if there were none.
pub type Leaves<'a> = &'a dyn Fn(&Mismatch) -> bool;

/// The most letters of a string that are shown.
const LETTERS: usize = 60;

/// One step from a value into what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The member of an object.
    Member(String),
    /// The item of an array, counted from 0.
    Item(usize),
}

/// What kind of demand was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keyword {
    /// The value is of another JSON type (`type`).
    Type,
    /// The value is not one of those named (`const`, `enum`).
    Value,
    /// A member is missing (`required`).
    Required(&'static str),
    /// All of these members are missing, and one would do.
    RequiredAny(Vec<&'static str>),
    /// A number is too small or too great (`minimum`, `maximum`).
    Range,
    /// An array is too short or too long (`minItems`, `maxItems`).
    Length,
    /// Any other keyword.
    Other(&'static str),
}

/// The member that tells the kinds of a union apart, with the value that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The member (`type`).
    pub member: &'static str,
    /// Its value (`text`).
    pub value: &'static str,
    /// How many steps lead to the object that has it.
    pub depth: usize,
}

/// One place at which a value departs from its definition. It prints as a sentence without a
/// period, in which the strings of the value are escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was judged, in a word: `result`, `message` or `value`.
    pub subject: &'static str,
    /// The definition that it was judged by.
    pub definition: &'static str,
    /// The way from what was judged to the value at fault; of a missing member, to the object that
    /// lacks it.
    pub steps: Vec<Step>,
    /// The demand that was not met.
    pub keyword: Keyword,
    /// The kind that the innermost object of several kinds on the way says it is.
    pub kind: Option<Kind>,
    /// The way as one would write it: `tools[0].inputSchema`; empty if nothing leads further.
    pub path: String,
    /// What was expected.
    pub expected: String,
    /// What there was.
    pub actual: String,
}

impl Mismatch {
    /// The names of the steps, that of a missing member (or the first of several) included; an item
    /// is `*`.
    pub fn place(&self) -> Vec<&str> {
        let missing = match &self.keyword {
            Keyword::Required(member) => Some(*member),
            Keyword::RequiredAny(members) => members.first().copied(),
            _ => None,
        };
        let steps = self.steps.iter().map(|step| match step {
            Step::Member(name) => name.as_str(),
            Step::Item(_) => "*",
        });
        steps.chain(missing).collect()
    }

    fn write_place(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "the {}", self.subject),
            path => write!(f, "`{path}`"),
        }
    }

    fn write_missing(&self, f: &mut fmt::Formatter<'_>, members: &[&str]) -> fmt::Result {
        self.write_place(f)?;
        match &self.kind {
            Some(kind) if kind.depth == self.steps.len() => {
                write!(f, ", of {} \"{}\",", kind.member, kind.value)?;
            }
            _ => {}
        }
        let quoted: Vec<String> = members.iter().map(|name| format!("`{name}`")).collect();
        write!(f, " lacks the required member {}", any_of(&quoted))
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match &self.keyword {
            Keyword::Required(member) => return self.write_missing(f, &[member]),
            Keyword::RequiredAny(members) => return self.write_missing(f, members),
            Keyword::Length => ["have", "has"],
            _ => ["be", "is"],
        };
        self.write_place(f)?;
        let [must, does] = verb;
        write!(
            f,
            " must {must} {}, but {does} {}",
            self.expected, self.actual
        )
    }
}

/// Everything in which a value departs from its definition, in the order of the value: one or
/// more, up to [`LIMIT`]. It prints as its first, with the number of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatches {
    found: Vec<Mismatch>,
    cut: bool,
}

impl Mismatches {
    /// `found` holds at least one.
    pub(super) fn new(found: Vec<Mismatch>, cut: bool) -> Mismatches {
        Mismatches { found, cut }
    }

    /// The first.
    pub fn first(&self) -> &Mismatch {
        &self.found[0]
    }

    /// All that are told apart.
    pub fn iter(&self) -> std::slice::Iter<'_, Mismatch> {
        self.found.iter()
    }
}

impl fmt::Display for Mismatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first().fmt(f)?;
        match (self.found.len() - 1, self.cut) {
            (0, _) => Ok(()),
            (others, false) => write!(f, " (and {others} more)"),
            (others, true) => write!(f, " (and at least {others} more)"),
        }
    }
}

/// The steps as one would write them in a program.
pub(super) fn path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Item(index) => path.push_str(&format!("[{index}]")),
            Step::Member(name) if is_plain(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            Step::Member(name) => path.push_str(&format!("[{}]", quoted(name))),
        }
    }
    path
}

fn is_plain(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-');
    (1..=LETTERS).contains(&name.len()) && name.bytes().all(letter)
}

/// The string in quotes, escaped and cut.
fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(LETTERS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// The value as it stands, if it is short, otherwise its type.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        plain => plain.to_string(),
    }
}

/// The type of the value, and what it is if that is short.
pub(super) fn described(value: &Value) -> String {
    match value {
        Value::String(_) => format!("the string {}", shown(value)),
        Value::Number(_) => format!("the number {value}"),
        _ => shown(value),
    }
}

/// A JSON type with its article.
pub(super) fn article(name: &str) -> String {
    match name {
        "null" => name.to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

/// `a, b or c`.
pub(super) fn any_of(words: &[impl AsRef<str>]) -> String {
    let mut list = String::new();
    for (at, word) in words.iter().enumerate() {
        let link = match words.len() - at {
            _ if at == 0 => "",
            1 => " or ",
            _ => ", ",
        };
        let _ = write!(list, "{link}{}", word.as_ref());
    }
    list
}
