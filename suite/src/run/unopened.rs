//! A server over HTTP+SSE with which no session could be opened, because of a clause of the
//! transport: that is a verdict, and the session is not needed for it.

use super::{live::Revisioned, revisions::Judged};
use crate::{
    run::Spoken,
    spec::{Level, Transport},
};

/// The verdicts, where the same holds in every revision that was asked for.
pub(super) fn judged(revised: &[Revisioned<'_>]) -> Option<Vec<Judged>> {
    let clauses: Option<Vec<&'static str>> = revised.iter().map(clause).collect();
    let judged = revised.iter().zip(clauses?).map(|(revised, clause)| {
        let folded = revised.fold(Vec::new(), Some(clause));
        (Spoken::Yes, folded)
    });
    Some(judged.collect())
}

/// The duty of the transport whose breach leaves no session.
fn clause(revised: &Revisioned<'_>) -> Option<&'static str> {
    let clause = revised.broken()?;
    let level = clause.level_in(revised.common.launcher.revision);
    let is_duty =
        matches!(level, Level::Must | Level::MustNot) && clause.transports == [Transport::HttpSse];
    is_duty.then_some(clause.id)
}
