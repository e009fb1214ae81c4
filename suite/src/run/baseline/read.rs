use std::str::FromStr;

use serde::Deserialize;
use toml::Spanned;

use super::{Baseline, Known};
use crate::spec::{Revision, Transport};

/// A baseline that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the baseline {path}, line {line}: {problem}")]
pub struct BaselineError {
    path: String,
    line: usize,
    problem: String,
}

/// What every message about a malformed entry ends with.
const FORM: &str = "an entry is a `[[known]]` with `case` and `reason`, and if need be `revision`, \
                    `transport`, `issue` and `expires`";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    known: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    case: String,
    revision: Option<Spanned<String>>,
    transport: Option<Spanned<String>>,
    reason: Spanned<String>,
    issue: Option<String>,
    expires: Option<Spanned<toml::Value>>,
}

impl Baseline {
    /// Reads a baseline from the text of its file.
    ///
    /// # Errors
    /// The text is no TOML, or an entry is none.
    pub fn read(path: &str, text: &str) -> Result<Baseline, BaselineError> {
        let error = |at: usize, problem: String| BaselineError {
            path: path.to_owned(),
            line: line(text, at),
            problem,
        };
        let file: File = toml::from_str(text).map_err(|refused| {
            let at = refused.span().map_or(0, |span| span.start);
            error(at, format!("{}; {FORM}", refused.message()))
        })?;
        let spans: Vec<_> = file.known.iter().map(Spanned::span).collect();
        // Entries in an inline array have no lines of their own.
        let tables = spans
            .iter()
            .all(|span| text[span.clone()].starts_with("[["));
        let blocks = if tables {
            blocks(
                text,
                &spans.iter().map(|span| span.start).collect::<Vec<_>>(),
            )
        } else {
            Vec::new()
        };
        let head = match blocks.first() {
            Some(first) => &text[..first.start],
            None if spans.is_empty() => text,
            None => "",
        };
        let mut entries = Vec::new();
        for (number, known) in file.known.into_iter().enumerate() {
            let begin = spans[number].start;
            let mut entry = known
                .into_inner()
                .known()
                .map_err(|(at, problem)| error(at, problem))?;
            entry.line = line(text, begin);
            entry.text = blocks
                .get(number)
                .map(|block| text[block.clone()].trim().to_owned());
            entries.push(entry);
        }
        Ok(Baseline {
            path: path.to_owned(),
            entries,
            head: head.trim().to_owned(),
        })
    }
}

impl Entry {
    /// The entry in our own words, or what is wrong with it and where.
    fn known(self) -> Result<Known, (usize, String)> {
        if self.reason.get_ref().trim().is_empty() {
            let problem = "the reason is empty; say why the failure is put up with";
            return Err((self.reason.span().start, problem.to_owned()));
        }
        let revision = self.revision.map(|name| {
            Revision::from_str(name.get_ref())
                .map_err(|error| (name.span().start, error.to_string()))
        });
        let transport = self.transport.map(|name| transport(&name));
        let expires = self.expires.map(|day| {
            let text = match day.get_ref() {
                toml::Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            text.parse().map_err(|_| {
                let problem = format!("`{text}` is no day; give one as in `expires = 2027-01-31`");
                (day.span().start, problem)
            })
        });
        Ok(Known {
            case: self.case,
            revision: revision.transpose()?,
            transport: transport.transpose()?,
            reason: self.reason.into_inner(),
            issue: self.issue,
            expires: expires.transpose()?,
            line: 0,
            text: None,
        })
    }
}

fn transport(name: &Spanned<String>) -> Result<Transport, (usize, String)> {
    let named = |transport: &&Transport| transport.as_str() == name.get_ref();
    Transport::ALL.iter().find(named).copied().ok_or_else(|| {
        let names: Vec<_> = Transport::ALL.iter().map(|known| known.as_str()).collect();
        let problem = format!(
            "`{}` is no transport; there are {}",
            name.get_ref(),
            names.join(", ")
        );
        (name.span().start, problem)
    })
}

/// The line of a byte, from 1.
fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Where the text of each entry stands: from the comments right above its header, up to those of
/// the next. What stands above the first header belongs to the file, unless a blank line parts it.
fn blocks(text: &str, headers: &[usize]) -> Vec<std::ops::Range<usize>> {
    let mut starts: Vec<usize> = Vec::new();
    for (number, header) in headers.iter().enumerate() {
        let line = text[..*header].rfind('\n').map_or(0, |at| at + 1);
        let mut start = line;
        for above in text[..line].split_inclusive('\n').rev() {
            if !above.trim_start().starts_with('#') {
                break;
            }
            start -= above.len();
        }
        starts.push(if number == 0 && start == 0 {
            line
        } else {
            start
        });
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .copied()
        .zip(ends)
        .map(|(start, end)| start..end)
        .collect()
}
