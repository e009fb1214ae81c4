//! A request that comes before `initialize`, and a client that declares nothing.

use std::time::Duration;

use super::{Opening, declared_lists};
use crate::cases::prelude::*;

/// How long the answer to what came too early is waited for before the handshake.
pub(super) const BEFORE: Duration = Duration::from_millis(300);

/// See the module.
pub(super) struct Early {
    /// The early request; none if the server declares nothing that could be asked for.
    pub(super) asked: Option<Asked>,
    /// A handshake with a client that declares nothing.
    pub(super) bare: Opening,
}

/// A request that came before `initialize`.
pub(super) struct Asked {
    pub(super) method: &'static str,
    pub(super) reply: Reply,
    /// The handshake behind it.
    pub(super) opening: Opening,
}

impl Asked {
    async fn play(s: &Talk, method: &'static str) -> Result<Asked, Stop> {
        let id = s.fresh_id();
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        let mut waiting = s
            .begin(request.to_string().as_bytes(), Some(Id::Text(id)))
            .await?;
        // Java answers it once the session is initialized.
        let first = s.within(&mut waiting, BEFORE).await;
        let opening = Opening::play(s, s.initialize_params()).await?;
        let reply = match first {
            Some(reply) => reply,
            None => s.finish(waiting, Patience::Limit).await?,
        };
        Ok(Asked {
            method,
            reply,
            opening,
        })
    }

    /// Whether the answer came before that to `initialize`.
    pub(super) fn was_first(&self) -> bool {
        match (&self.reply, &self.opening.initialize) {
            (Reply::Answer(reply), Reply::Answer(initialize)) => reply.at < initialize.at,
            _ => true,
        }
    }
}

impl Conversation for Early {
    /// Both in one session; if anything fails there each is tried alone.
    async fn hold(s: &Talk) -> Result<Early, Stop> {
        s.behave(Manner::Bare);
        let Some(&method) = declared_lists(s).first() else {
            let bare = Opening::play(s, s.initialize_params()).await?;
            return Ok(Early { asked: None, bare });
        };
        let both = Asked::play(s, method).await?;
        if both.opening.is_served() {
            let bare = both.opening.clone();
            let asked = Some(both);
            return Ok(Early { asked, bare });
        }
        s.forget_log();
        let asked = Asked::play(&s.another()?, method).await?;
        let client = s.another()?;
        client.behave(Manner::Bare);
        let bare = Opening::play(&client, client.initialize_params()).await?;
        let asked = Some(asked);
        Ok(Early { asked, bare })
    }
}
