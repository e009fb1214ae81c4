//! A server that refuses `initialize` in every revision: that is a verdict, if it is no server of
//! revisions without a handshake.

use std::{rc::Rc, time::Duration};

use super::{lane::Probed, live::Revisioned};
use crate::{
    case::violated,
    cases,
    session::{How, Newline, OpenFailure, Session, Told},
    spec::Revision,
    tape::Excerpt,
};

/// The clause that such a server breaks.
const CLAUSE: &str = "lifecycle/initialize-answered";

/// With what servers answer that know revisions without a handshake only.
const MODERN: [i64; 3] = [-32601, -32602, -32022];

/// What was refused, if that is what the failure is. Credentials, a wrong address and a server that
/// is busy are no refusals.
fn refusal(failure: &OpenFailure) -> Option<&Told> {
    let told = match failure {
        OpenFailure::Refused(told) => told,
        OpenFailure::Status(401 | 403 | 404 | 405 | 429 | 503, _) => return None,
        OpenFailure::Status(_, told) => told.as_ref()?,
        _ => return None,
    };
    let modern = told.code.is_some_and(|code| MODERN.contains(&code));
    (!modern).then_some(told)
}

/// What the case comes to, where all these failures are refusals and the revisions that were not
/// asked for are refused too.
pub(super) async fn judged(
    revised: &Revisioned<'_>,
    failed: &[(OpenFailure, Rc<Session>)],
) -> Option<Probed> {
    let case = cases::find(CLAUSE).filter(|case| revised.selects(case))?;
    let told: Option<Vec<&Told>> = failed.iter().map(|(failure, _)| refusal(failure)).collect();
    let (error, (_, session)) = (&told?.first()?.error, failed.first()?);
    for revision in Revision::WITH_HANDSHAKE {
        if failed.iter().any(|(_, failed)| failed.revision == revision) {
            continue;
        }
        let other = revised.launch_unseen_in(revision).ok()?;
        let opened = other.handshake(Newline::Lf, other.limits.first_answer);
        let failure = opened.await.err();
        other.end(How::Quickly).await;
        refusal(&failure?)?;
    }
    let request = session.initialize().to_string();
    let sent = Excerpt::new(session.outward(), Duration::ZERO, request.as_bytes());
    Some(Probed {
        case,
        result: violated(format!(
            "`initialize` is refused in every revision: {error}"
        )),
        log: vec![sent],
        remarks: Vec::new(),
    })
}
