//! A server that refuses `initialize` over HTTP for want of a header: that is a verdict.

use std::rc::Rc;

use super::{lane::Probed, live::Revisioned};
use crate::{
    case::{Stop, violated},
    cases,
    session::{How, OpenFailure, Session},
    spec::{Revision, Transport},
    talk::{Draft, Talk, Turn},
};

/// The clause on the session and version headers.
const SESSION: &str = "streamable-http/initialize-without-session";
/// The clause on Origin.
const ORIGIN: &str = "streamable-http/origin-absent-served";

/// What the case comes to whose header is asked for.
pub(super) async fn judged(
    revised: &Revisioned<'_>,
    failed: &[(OpenFailure, Rc<Session>)],
) -> Option<Probed> {
    let (failure, session) = failed.first()?;
    let is_refused = matches!(failure, OpenFailure::Status(400..500, _));
    if session.transport() != Transport::StreamableHttp || !is_refused {
        return None;
    }
    let plain = Attempt::make(revised, session.revision, Ok).await?;
    if plain.turn.settled().is_err() || !plain.turn.is_refused() {
        return None;
    }
    // A word for the header in the refusal: no value of it would be the right one.
    if plain
        .turn
        .text()
        .to_ascii_lowercase()
        .contains("mcp-session-id")
    {
        let how = format!("`initialize` without a session id {}", plain.turn);
        return plain.broken(revised, SESSION, how, None);
    }
    let version = session.revision.as_str();
    let with = |draft: Draft| Ok(draft.header("MCP-Protocol-Version", version));
    let versioned = Attempt::make(revised, session.revision, with).await?;
    if versioned.turn.is_served() {
        let how = format!("`initialize` without the version header {}", plain.turn);
        return plain.broken(revised, SESSION, how, Some(&versioned.turn));
    }
    let url = versioned.talk.url().ok()?;
    let own = &url[..url::Position::BeforePath];
    let with = |draft: Draft| Ok(draft.header("Origin", own));
    let own = Attempt::make(revised, session.revision, with).await?;
    if own.turn.is_served() {
        let how = format!(
            "`initialize` without Origin {}, with the server's own it is served",
            plain.turn
        );
        return plain.broken(revised, ORIGIN, how, Some(&own.turn));
    }
    None
}

/// One more try to open a session.
struct Attempt {
    talk: Talk,
    turn: Turn,
}

impl Attempt {
    async fn make(
        revised: &Revisioned<'_>,
        revision: Revision,
        change: impl FnOnce(Draft) -> Result<Draft, Stop>,
    ) -> Option<Attempt> {
        let session = revised.launch_unseen_in(revision).ok()?;
        let (lane, curtain) = (Rc::default(), Rc::default());
        let common = Rc::clone(&revised.common);
        let talk = Talk::new(session, lane, curtain, common, SESSION);
        let draft = talk
            .post(&talk.session.initialize())
            .and_then(change)
            .ok()?;
        let turn = talk.turn(draft).await;
        talk.session.end(How::Quickly).await;
        Some(Attempt { talk, turn })
    }

    /// The clause that this attempt shows broken, beside another one.
    fn broken(
        &self,
        revised: &Revisioned<'_>,
        clause: &str,
        how: String,
        control: Option<&Turn>,
    ) -> Option<Probed> {
        let case = cases::find(clause).filter(|case| revised.selects(case))?;
        let control = control.into_iter().flat_map(Turn::said);
        Some(Probed {
            case,
            result: violated(how),
            log: self.turn.said().into_iter().chain(control).collect(),
            remarks: Vec::new(),
        })
    }
}
