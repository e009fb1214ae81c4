//! Values of the file with their places, and what is said of those of a wrong type.

use serde_json::{Map, Number, Value as Json};
use toml::{
    Spanned,
    de::{DeInteger, DeTable, DeValue},
};

/// What is wrong, and at which byte.
pub(super) type Problem = (usize, String);

/// A value with its place.
pub(super) type Node<'a> = Spanned<DeValue<'a>>;

/// The members of a table in the order of the file: name, its place, value.
pub(super) fn entries<'a>(table: &'a DeTable<'_>) -> Vec<(&'a str, usize, &'a Node<'a>)> {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(name, value)| (name.get_ref().as_ref(), name.span().start, value))
        .collect();
    entries.sort_by_key(|(_, at, _)| *at);
    entries
}

pub(super) fn table<'a>(
    value: &'a Node<'a>,
    name: &str,
    example: &str,
) -> Result<&'a DeTable<'a>, Problem> {
    let wrong = || mistyped(value, name, "a table", example);
    value.get_ref().as_table().ok_or_else(wrong)
}

pub(super) fn string(value: &Node<'_>, name: &str, example: &str) -> Result<String, Problem> {
    let wrong = || mistyped(value, name, "a string", example);
    value
        .get_ref()
        .as_str()
        .map(str::to_owned)
        .ok_or_else(wrong)
}

pub(super) fn strings(value: &Node<'_>, name: &str, example: &str) -> Result<Vec<String>, Problem> {
    match value.get_ref() {
        DeValue::Array(items) => items
            .iter()
            .map(|item| string(item, name, example))
            .collect(),
        DeValue::String(text) => Ok(vec![text.clone().into_owned()]),
        _ => Err(mistyped(
            value,
            name,
            "a string, or an array of strings",
            example,
        )),
    }
}

pub(super) fn mistyped(value: &Node<'_>, name: &str, wanted: &str, example: &str) -> Problem {
    let found = value.get_ref().type_str();
    let problem =
        format!("`{name}` must be {wanted}, but is of type {found}; write it as in `{example}`");
    (value.span().start, problem)
}

/// A number as the command line has it: whole ones without a fraction.
pub(super) fn number(value: &Node<'_>) -> Result<String, Problem> {
    let number = json(value)?;
    Ok(number.as_f64().unwrap_or(f64::NAN).to_string())
}

/// The value as JSON, for the arguments of a tool.
pub(super) fn json(value: &Node<'_>) -> Result<Json, Problem> {
    let no_number = || {
        (
            value.span().start,
            "this number has no form in JSON; write another".to_owned(),
        )
    };
    Ok(match value.get_ref() {
        DeValue::String(text) => Json::String(text.clone().into_owned()),
        DeValue::Boolean(flag) => Json::Bool(*flag),
        DeValue::Integer(number) => integer(number).map(Json::Number).ok_or_else(no_number)?,
        DeValue::Float(number) => {
            let number = number.as_str().parse().ok().and_then(Number::from_f64);
            Json::Number(number.ok_or_else(no_number)?)
        }
        DeValue::Datetime(time) => Json::String(time.to_string()),
        DeValue::Array(items) => Json::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        DeValue::Table(members) => {
            let member = |(name, _, value)| Ok((str::to_owned(name), json(value)?));
            Json::Object(
                entries(members)
                    .into_iter()
                    .map(member)
                    .collect::<Result<Map<_, _>, Problem>>()?,
            )
        }
    })
}

fn integer(number: &DeInteger<'_>) -> Option<Number> {
    i64::from_str_radix(number.as_str(), number.radix())
        .ok()
        .map(Number::from)
}
