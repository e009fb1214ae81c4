//! Whether a server that was sent something unusual goes on.

use super::prelude::*;
use crate::session::Refusal;

/// The control: a server that answers no ping shows nothing by not answering one.
pub(super) async fn pings_are_answered(s: &Talk) -> Result<(), Stop> {
    let reply = s.serves().await?;
    if is_answer(&reply) {
        return Ok(());
    }
    unverified(format!("a ping {reply}"))
}

/// Waits until the server has read what was sent; that it answers no more is the offence.
pub(super) async fn settled(s: &Talk, what: &str) -> Result<(), Stop> {
    for _ in 0..2 {
        let reply = s.serves().await?;
        if !is_answer(&reply) {
            return violated(format!("a ping behind {what} {reply}"));
        }
    }
    Ok(())
}

/// That a notification which is to be ignored was: over HTTP it may be taken or refused, but that
/// the server failed on it is neither.
pub(super) fn ignored(what: &str, told: Option<Refusal>) -> Result<(), Stop> {
    match told {
        Some(refusal) if refusal.status >= 500 && !refusal.turns_away() => violated(format!(
            "{what} is answered with HTTP status {}",
            refusal.status
        )),
        _ => Ok(()),
    }
}

/// Whether it has the id of the ping. Over HTTP a session that is gone is told by a status.
fn is_answer(reply: &Reply) -> bool {
    matches!(reply, Reply::Answer(_))
}
