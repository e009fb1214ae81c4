use std::fmt;

use crate::{
    case::{Stop, Violation},
    spec::Level,
};

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A MUST or MUST NOT was broken.
    Fail,
    /// The case could not finish.
    Error,
    /// A SHOULD or SHOULD NOT was broken.
    Warn,
    /// An advisory observation.
    Note,
    /// The clause applies, but this run could not see it.
    Unverified,
    /// Conformance was observed.
    Pass,
    /// Another revision, another transport, or a capability that is not declared.
    NotApplicable,
}

impl Verdict {
    /// Every verdict, the gravest first.
    pub const ALL: [Verdict; 7] = [
        Verdict::Fail,
        Verdict::Error,
        Verdict::Warn,
        Verdict::Note,
        Verdict::Unverified,
        Verdict::Pass,
        Verdict::NotApplicable,
    ];

    /// The word in JSON reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Fail => "fail",
            Verdict::Error => "error",
            Verdict::Warn => "warn",
            Verdict::Note => "note",
            Verdict::Unverified => "unverified",
            Verdict::Pass => "pass",
            Verdict::NotApplicable => "not_applicable",
        }
    }

    /// The verdict on a clause of this level that was broken.
    pub(crate) fn of_violation(level: Level) -> Verdict {
        match level {
            Level::Must | Level::MustNot => Verdict::Fail,
            Level::Should | Level::ShouldNot => Verdict::Warn,
            Level::May => Verdict::Note,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::NotApplicable => "not applicable",
            verdict => verdict.as_str(),
        })
    }
}

/// What the probe and the rule of one case came to, folded into one.
#[derive(Debug)]
pub(super) enum Outcome {
    Kept,
    Broken(Violation),
    Unseen(String),
    NotApplicable(String),
    Error(String),
}

impl Outcome {
    /// What a probe came to; none if it leaves the verdict to the rule.
    pub(super) fn of(result: Result<(), Stop>) -> Option<Outcome> {
        Some(match result {
            Ok(()) => Outcome::Kept,
            Err(Stop::Violated(violation)) => Outcome::Broken(*violation),
            Err(Stop::Unverified(reason)) => Outcome::Unseen(reason),
            Err(Stop::NotApplicable(reason)) => Outcome::NotApplicable(reason),
            Err(Stop::Broke(broken)) => Outcome::Error(broken.to_string()),
            Err(Stop::Interrupted) => Outcome::Unseen("another case broke the session".to_owned()),
            Err(Stop::LeftToRule) => return None,
        })
    }

    /// A violation that either saw counts; a probe that could not see is not healed by a rule
    /// that saw nothing wrong; a rule that saw nothing is healed by a probe that did.
    pub(super) fn fold(probe: Option<Outcome>, rule: Option<Outcome>) -> Outcome {
        match (probe, rule) {
            (_, Some(Outcome::Broken(violation))) | (Some(Outcome::Broken(violation)), _) => {
                Outcome::Broken(violation)
            }
            // What the probe found nothing of may have been said all the same.
            (Some(Outcome::NotApplicable(_)), Some(Outcome::Kept)) => Outcome::Kept,
            (Some(probe), _) => probe,
            (None, Some(rule)) => rule,
            (None, None) => Outcome::Unseen("nothing judges it".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_outweighs_and_blindness_is_never_a_pass() {
        let kept = || Some(Outcome::Kept);
        let broken = || Some(Outcome::Broken(Violation::default()));
        let unseen = || Some(Outcome::Unseen(String::new()));
        assert!(matches!(
            Outcome::fold(kept(), broken()),
            Outcome::Broken(_)
        ));
        assert!(matches!(
            Outcome::fold(broken(), kept()),
            Outcome::Broken(_)
        ));
        assert!(matches!(
            Outcome::fold(unseen(), kept()),
            Outcome::Unseen(_)
        ));
        assert!(matches!(Outcome::fold(kept(), unseen()), Outcome::Kept));
        assert!(matches!(Outcome::fold(None, unseen()), Outcome::Unseen(_)));
        assert!(matches!(Outcome::fold(None, None), Outcome::Unseen(_)));
    }
}
