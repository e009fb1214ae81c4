use std::{rc::Rc, time::Duration};

use crate::{
    case::{Case, Nature},
    cases,
    spec::{Revision, Transport},
    tape::Secrets,
    target::{Permissions, Target},
};

/// From which level on a violation makes the exit status 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// MUST and MUST NOT.
    Must,
    /// SHOULD and SHOULD NOT too.
    Should,
    /// None.
    Never,
}

/// Which cases are run.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    cases: Vec<String>,
    skip: Vec<String>,
}

/// A pattern that selects nothing.
#[derive(Debug, thiserror::Error)]
#[error(
    "{option} {pattern}: no case has such an id{suggestion}; `mcp-conform list` shows them all"
)]
pub struct SelectionError {
    option: &'static str,
    pattern: String,
    suggestion: String,
}

impl Selection {
    /// Selects the cases that match one of `cases` (all if there is none) and none of `skip`.
    /// `*` stands for any characters, the slash included; `?` for one.
    ///
    /// # Errors
    /// A pattern that matches no case.
    pub fn new(patterns: Vec<String>, skip: Vec<String>) -> Result<Selection, SelectionError> {
        let all = [("--case", &patterns), ("--skip", &skip)];
        for (option, patterns) in all {
            for pattern in patterns {
                if !cases::all().any(|case| matches(pattern, case.clause.id)) {
                    return Err(SelectionError {
                        option,
                        pattern: pattern.clone(),
                        suggestion: suggestion(pattern),
                    });
                }
            }
        }
        Ok(Selection {
            cases: patterns,
            skip,
        })
    }

    /// Whether everything is selected.
    pub fn is_whole(&self) -> bool {
        self.cases.is_empty() && self.skip.is_empty()
    }

    /// Whether the case is selected.
    pub fn selects(&self, case: &Case) -> bool {
        let any = |patterns: &[String]| {
            patterns
                .iter()
                .any(|pattern| matches(pattern, case.clause.id))
        };
        (self.cases.is_empty() || any(&self.cases)) && !any(&self.skip)
    }
}

/// Whether `text` matches the glob.
pub(super) fn matches(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut g, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match glob.get(g) {
            Some(b'*') => {
                star = Some((g + 1, t));
                g += 1;
            }
            Some(b'?') => (g, t) = (g + 1, t + 1),
            Some(letter) if *letter == text[t] => (g, t) = (g + 1, t + 1),
            // The last star takes one more character.
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    (g, t) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|letter| *letter == b'*')
}

fn suggestion(pattern: &str) -> String {
    cases::nearest(pattern).map_or_else(String::new, |id| format!(" (did you mean `{id}`?)"))
}

/// What a run is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is judged.
    pub target: Rc<Target>,
    /// What may be done with its features.
    pub permissions: Rc<Permissions>,
    /// The revisions to ask for; empty for all that the transport carries.
    pub revisions: Vec<Revision>,
    /// Which cases.
    pub selection: Selection,
    /// The limit for one answer.
    pub timeout: Duration,
    /// The limit for what a server may take very long to do; none if that is not waited for.
    pub long_wait: Option<Duration>,
    /// How many processes are talked to at a time; those that are only waited for do not count.
    pub jobs: usize,
    /// Where the transcript goes.
    pub transcript: Option<std::path::PathBuf>,
    /// What never reaches a report.
    pub secrets: Secrets,
    /// The options above as a shell takes them, for the command that reproduces a verdict.
    pub shell: Vec<String>,
}

impl Options {
    /// The cases that hold in `revision` over `transport`, in the order of the registry: those
    /// that are selected, and those that are run. A rule alone provokes nothing, so what the
    /// others say is said for it too.
    pub(super) fn cases(&self, revision: Revision, transport: Transport) -> Planned {
        let holds = |case: &&'static Case| case.clause.applies_in(revision, transport);
        let all: Vec<_> = cases::all().filter(holds).collect();
        let selected: Vec<_> = all
            .iter()
            .copied()
            .filter(|case| self.selection.selects(case))
            .collect();
        let passive = selected.iter().any(|case| case.nature() == Nature::Rule);
        Planned {
            run: if passive { all } else { selected.clone() },
            selected,
        }
    }
}

/// The cases of one revision.
pub(super) struct Planned {
    /// Those with a verdict in the report.
    pub(super) selected: Vec<&'static Case>,
    /// Those that are run.
    pub(super) run: Vec<&'static Case>,
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn globs_match_as_in_a_shell() {
        for (glob, text, expected) in [
            ("stdio/*", "stdio/stdout-utf8", true),
            ("*utf8", "stdio/stdout-utf8", true),
            ("*-*-*", "stdio/a-b", false),
            ("*a*b", "xaxxbxb", true),
            ("stdio/stdout-utf?", "stdio/stdout-utf8", true),
            ("stdio", "stdio/x", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(glob, text), expected, "{glob} {text}");
        }
    }
}
