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
/// the server failed on it is neither. The control is a notification that every server knows.
pub(super) async fn ignored(s: &Talk, what: &str, told: Option<Refusal>) -> Result<(), Stop> {
    let failed = |told: &Refusal| told.status >= 500 && !told.turns_away();
    let Some(refusal) = told.filter(failed) else {
        return Ok(());
    };
    let known = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    match s.tell(&known).await?.filter(failed) {
        None => violated(format!(
            "{what} is answered with HTTP status {}",
            refusal.status
        )),
        Some(_) => unverified(
            "the server fails on every notification, see streamable-http/notification-202",
        ),
    }
}

/// Whether it has the id of the ping. Over HTTP a session that is gone is told by a status.
fn is_answer(reply: &Reply) -> bool {
    matches!(reply, Reply::Answer(_))
}
