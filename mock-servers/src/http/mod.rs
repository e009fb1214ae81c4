//! The server over HTTP: Streamable HTTP, and HTTP+SSE of 2024-11-05.
//!
//! A request passes the guard (where does it come from?), is answered by its transport,
//! and what is said in its session becomes a list of steps that the transport takes. What
//! the server decides is a [`Policy`]; where a fault can reach in is [`HttpBend`].

mod bend;
mod crowd;
mod event;
mod guard;
mod policy;
pub mod reply;
mod site;
mod sse;
mod streamable;
mod wire;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use tokio::net::TcpListener;

use crate::fault::{Bends, Fault};
use bend::HttpBends;
pub use bend::{Answered, HttpBend, Incoming, Place, Scene, Step, Told};
pub use crowd::Crowd;
pub use event::EventBody;
pub(crate) use policy::random_id;
pub use policy::{
    Delete, Disconnection, GetHeaders, Malformed, Policy, Replay, Standalone, UnknownSession,
};
use reply::{Refusal, Reply};
use site::Site;
use sse::Sse;
use streamable::Streamable;
use wire::Accepting;

/// Longer bodies are refused.
const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// Of longer bodies not even the rest is read.
const LONGEST_READ: usize = 64 * 1024 * 1024;

/// A server that listens, and serves once it is told to.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    transport: Transport,
    site: Arc<Site>,
    path: &'static str,
}

#[derive(Debug)]
enum Transport {
    Streamable(Streamable),
    Sse(Sse),
}

impl Server {
    /// Listens for Streamable HTTP on that port of the loopback address; 0 is any port.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn streamable(port: u16, faults: &[&'static Fault]) -> io::Result<Self> {
        let bends = Bends::new(faults);
        let (listener, site) = listen(port, HttpBends::streamable(&bends), bends).await?;
        Ok(Self {
            listener,
            transport: Transport::Streamable(Streamable::new(Arc::clone(&site))),
            site,
            path: streamable::PATH,
        })
    }

    /// Listens for HTTP+SSE on that port of the loopback address; 0 is any port.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn sse(port: u16, faults: &[&'static Fault]) -> io::Result<Self> {
        let bends = Bends::new(faults);
        let (listener, site) = listen(port, HttpBends::sse(&bends), bends).await?;
        Ok(Self {
            listener,
            transport: Transport::Sse(Sse::new(Arc::clone(&site))),
            site,
            path: sse::PATH,
        })
    }

    /// Where clients begin.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{}", self.site.authority, self.path)
    }

    /// Serves until it is dropped.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn serve(self) -> io::Result<()> {
        let accepting = Accepting {
            listener: self.listener,
            bends: self.site.bends.wire(),
        };
        let shared = Arc::new((self.transport, self.site));
        let router = Router::new().fallback(handle).with_state(shared);
        axum::serve(accepting, router).await
    }
}

async fn listen(
    port: u16,
    http_bends: HttpBends,
    session_bends: Bends,
) -> io::Result<(TcpListener, Arc<Site>)> {
    let policy = http_bends.policy();
    let listener = TcpListener::bind(SocketAddr::from((policy.address, port))).await?;
    let port = listener.local_addr()?.port();
    let authority = format!("127.0.0.1:{port}");
    let site = Site::new(authority, policy, http_bends, session_bends);
    Ok((listener, Arc::new(site)))
}

async fn handle(
    State(shared): State<Arc<(Transport, Arc<Site>)>>,
    request: Request,
) -> Response<Body> {
    let (transport, site) = &*shared;
    let reply = match read(request, site).await {
        Ok(mut incoming) => {
            incoming.revision = transport.revision(&incoming);
            let mut reply = match site.bends.request(&mut incoming) {
                Some(reply) => reply,
                None => transport.answer(&incoming).await,
            };
            site.bends.reply(&incoming, &mut reply);
            reply
        }
        Err(refusal) => refusal.into(),
    };
    reply.map(Body::from)
}

async fn read(request: Request, site: &Site) -> Result<Incoming, Refusal> {
    let (head, body) = request.into_parts();
    let Some(body) = collect(body).await else {
        let message = "the body is too long";
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    };
    Ok(Incoming {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: body.into(),
        authority: site.authority.clone(),
        revision: None,
    })
}

/// The bytes of a body that is not too long. The rest of one that is too long is read as
/// well: an answer given before that may be lost with the connection.
async fn collect(mut body: Body) -> Option<Vec<u8>> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        // A body that breaks off has nobody left to be told.
        let Some(data) = frame.ok().and_then(|frame| frame.into_data().ok()) else {
            break;
        };
        length += data.len();
        if length <= LONGEST_BODY {
            bytes.extend(data);
        } else if length > LONGEST_READ {
            break;
        }
    }
    (length <= LONGEST_BODY).then_some(bytes)
}

impl Transport {
    fn revision(&self, incoming: &Incoming) -> Option<crate::revision::Revision> {
        match self {
            Self::Streamable(streamable) => streamable.revision(incoming),
            Self::Sse(sse) => sse.revision(incoming),
        }
    }

    async fn answer(&self, incoming: &Incoming) -> Reply {
        if let Err(refusal) = guard::from_here(incoming) {
            return refusal.into();
        }
        match self {
            Self::Streamable(streamable) => streamable.answer(incoming).await,
            Self::Sse(sse) => sse.answer(incoming).await,
        }
    }
}
