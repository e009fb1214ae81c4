use crate::{
    run::{Counts, Run, Spoken},
    spec::Revision,
};

/// What a run says of one revision as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No `fail` and no `error`, and something was seen.
    Conforms,
    /// There is a `fail` or an `error`.
    Breaks,
    /// The server does not speak it.
    NotSpoken,
    /// Nothing is broken, but nothing was seen, or the run was cut short: no green without a look.
    Untold,
}

impl Standing {
    /// The standing of a revision in a run.
    pub fn of(run: &Run, revision: Revision) -> Standing {
        let spoken = run
            .revisions
            .iter()
            .any(|(r, s)| *r == revision && *s == Spoken::Yes);
        let counts = Counts::of(run.of_revision(revision));
        Standing::new(spoken, &counts, run.finished)
    }

    /// The standing that these counts come to.
    pub(super) fn new(spoken: bool, counts: &Counts, finished: bool) -> Standing {
        if !spoken {
            Standing::NotSpoken
        } else if !counts.conforms() {
            Standing::Breaks
        } else if counts.verified() == 0 || !finished {
            Standing::Untold
        } else {
            Standing::Conforms
        }
    }

    /// Whether it conforms, where that can be told.
    pub fn conforms(self) -> Option<bool> {
        match self {
            Standing::Conforms => Some(true),
            Standing::Breaks => Some(false),
            Standing::NotSpoken | Standing::Untold => None,
        }
    }
}
