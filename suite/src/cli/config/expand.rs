//! Environment variables in values of the file: `${NAME}`, and `$${` for a plain `${`.

/// The text with the values of the variables that it names.
///
/// # Errors
/// What is wrong with a variable, and how to mend it.
pub(super) fn expanded(
    text: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            whole.push_str(before);
            whole.push_str("${");
            rest = &from[2..];
            continue;
        }
        let (name, after) = from[2..].split_once('}').ok_or_else(|| {
            "`${` has no end; write `${NAME}` for an environment variable, and `$${` for a plain `${`"
                .to_owned()
        })?;
        let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if name.is_empty() || !name.chars().all(word) {
            return Err(format!(
                "`${{{name}}}` names no environment variable; write `$${{` for a plain `${{`"
            ));
        }
        let value = variable(name).ok_or_else(|| {
            format!("the environment variable `{name}` is not set; set it before the run")
        })?;
        whole.push_str(before);
        whole.push_str(&value);
        rest = after;
    }
    whole.push_str(rest);
    Ok(whole)
}
