//! Who comes from where: `initialize`, and requests in sessions, with one `Origin` and `Host` or
//! another.

use futures_util::future::join_all;
use url::Position;

use super::{client::*, prelude::*};
use crate::session::Neighbours;

/// The cases that look at one conversation: it does not depend on the revision.
pub(super) const STAGE: Stage = Stage::Once("origins");

/// A host that nobody can have: the name never resolves.
const BAIT: &str = "mcp-conform.invalid";
/// A name below it that holds a local one.
const REBOUND: &str = "rebind.localhost.mcp-conform.invalid";

/// What became of the visitors.
pub(super) struct Visitors {
    /// The right Host and no Origin.
    pub(super) absent: Turn,
    /// The server's own origin.
    pub(super) own: Turn,
    /// What only a server on loopback is asked.
    pub(super) local: Option<Local>,
}

/// The visitors that a server on loopback has to turn away.
pub(super) struct Local {
    /// A foreign Origin beside the right Host.
    pub(super) foreign: Turn,
    /// The Origin `null`.
    pub(super) null: Turn,
    /// Origins that hold a local name.
    pub(super) lookalikes: Vec<(String, Turn)>,
    /// A foreign Host and no Origin, where the server is reached without TLS.
    pub(super) host: Option<Turn>,
    /// Host and Origin of one foreign site, the same.
    pub(super) rebound: Vec<(String, Turn)>,
    /// Requests in sessions with a foreign Origin.
    pub(super) inside: Result<Inside, Stop>,
}

/// GET and DELETE with a foreign Origin.
pub(super) struct Inside {
    /// A GET as the first one of its session, and a plain one behind it.
    pub(super) get: Turn,
    pub(super) plain_get: Turn,
    /// A DELETE, a ping behind it, and a plain DELETE; none without a session, or where it would
    /// end others.
    pub(super) delete: Option<[Turn; 3]>,
}

/// One way to come with `initialize`.
struct Visit {
    host: Option<String>,
    origin: Option<String>,
}

impl Visit {
    async fn make(&self, s: &Talk) -> Result<Turn, Stop> {
        // A front may lead whoever names another host elsewhere.
        let talk = match self.host {
            Some(_) => s.another_unjudged()?,
            None => s.another()?,
        };
        // Ordinary clients put a Host of their own in its place.
        let mut draft = talk.post(&initialize(&talk))?.raw();
        if let Some(origin) = &self.origin {
            draft = draft.header("Origin", origin);
        }
        if let Some(host) = &self.host {
            draft = draft.host(host);
        }
        Ok(talk.turn(draft).await)
    }
}

impl Conversation for Visitors {
    async fn hold(s: &Talk) -> Result<Visitors, Stop> {
        let url = s.url()?;
        let own = url[..Position::BeforePath].to_owned();
        let visit = |host: Option<String>, origin: Option<&str>| {
            let origin = origin.map(str::to_owned);
            async move { Visit { host, origin }.make(s).await }
        };
        let (absent, with_own) = futures_util::join!(visit(None, None), visit(None, Some(&own)));
        let (absent, with_own) = (absent?, with_own?);
        if !s.is_loopback() {
            return Ok(Visitors {
                absent,
                own: with_own,
                local: None,
            });
        }
        let scheme = url.scheme();
        let port = url.port().map_or(String::new(), |port| format!(":{port}"));
        let bait = format!("{scheme}://{BAIT}");
        let lookalikes = [
            "http://localhost.mcp-conform.invalid".to_owned(),
            format!("http://127.0.0.1.{BAIT}{port}"),
            "http://mcp-conform-localhost.invalid".to_owned(),
            format!("http://localhost:80.{BAIT}"),
            format!("{own}.{BAIT}"),
        ];
        let like = lookalikes
            .iter()
            .map(async |origin| Ok((origin.clone(), visit(None, Some(origin)).await?)));
        let in_clear = scheme == "http";
        let rebound = [BAIT, REBOUND].map(|name| format!("{name}{port}"));
        let rebound = rebound.iter().filter(|_| in_clear).map(async |host| {
            let origin = format!("http://{host}");
            let turn = visit(Some(host.clone()), Some(&origin)).await?;
            Ok::<_, Stop>((host.clone(), turn))
        });
        let host = async {
            match in_clear {
                true => visit(Some(format!("{BAIT}{port}")), None).await.map(Some),
                false => Ok(None),
            }
        };
        let (foreign, null, like, rebound, host, inside) = futures_util::join!(
            visit(None, Some(&bait)),
            visit(None, Some("null")),
            join_all(like),
            join_all(rebound),
            host,
            Inside::play(s, &bait),
        );
        let local = Local {
            foreign: foreign?,
            null: null?,
            lookalikes: like.into_iter().collect::<Result<_, Stop>>()?,
            host: host?,
            rebound: rebound.into_iter().collect::<Result<_, Stop>>()?,
            inside,
        };
        Ok(Visitors {
            absent,
            own: with_own,
            local: Some(local),
        })
    }
}

impl Inside {
    async fn play(s: &Talk, origin: &str) -> Result<Inside, Stop> {
        let client = Client::open(s).await?;
        let get = client.talk.get()?.header("Origin", origin);
        let get = client.talk.turn(get).await;
        get.posting.disconnect();
        let plain_get = client.listen().await?;
        plain_get.posting.disconnect();
        let mut delete = None;
        let ends_others = matches!(s.neighbours(), Neighbours::EndTogether(_));
        if client.id().is_some() && !ends_others {
            let before = client.ping().await?;
            if !before.is_served() {
                return unverified(format!("a ping in a further session {before}"));
            }
            let foreign = client.talk.delete()?.header("Origin", origin);
            let foreign = client.talk.turn(foreign).await;
            let ping = client.ping().await?;
            let plain = client.talk.turn(client.talk.delete()?).await;
            if plain.is_success() {
                client.talk.session.forget_session_id();
            }
            delete = Some([foreign, ping, plain]);
        }
        Ok(Inside {
            get,
            plain_get,
            delete,
        })
    }
}

impl Visitors {
    /// What a server on loopback is asked; the control has to be served.
    pub(super) fn local(&self) -> Result<&Local, Stop> {
        let Some(local) = &self.local else {
            return not_applicable("the server is not on loopback");
        };
        self.absent.control("`initialize` without Origin")?;
        Ok(local)
    }

    /// The same for cases that look closer at a server that does refuse a foreign Origin.
    pub(super) fn refusing(&self) -> Result<&Local, Stop> {
        let local = self.local()?;
        local.foreign.settled()?;
        if local.foreign.is_refused() {
            return Ok(local);
        }
        unverified(format!(
            "`initialize` with a foreign Origin {}, see streamable-http/origin-foreign-refused",
            local.foreign
        ))
    }
}
