//! What carries a session: the pipes of a process, or HTTP.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use tokio::{process::ChildStdin, sync::Mutex, task::AbortHandle};
use url::Url;

use super::{InBodies, Posting};
use crate::{target::Process, transport::Client};

/// See the module.
pub(super) enum Wire {
    Stdio(Pipes),
    Http(Box<Http>),
}

/// The process of a session over stdio.
pub(super) struct Pipes {
    pub(super) stdin: Mutex<Option<ChildStdin>>,
    pub(super) process: Mutex<Option<Process>>,
}

/// The state of a session over HTTP.
pub(super) struct Http {
    pub(super) client: Rc<Client>,
    /// Where messages are posted: the endpoint of Streamable HTTP, or the one that the `endpoint`
    /// event of HTTP+SSE has named.
    pub(super) url: RefCell<Option<Url>>,
    /// The event stream of HTTP+SSE; none over Streamable HTTP.
    pub(super) stream: Option<Url>,
    /// `Mcp-Session-Id`, once the server has given one.
    pub(super) session_id: RefCell<Option<String>>,
    /// Whether a GET stream is opened with the session.
    pub(super) listens: Cell<bool>,
    /// The GET for that stream.
    pub(super) standing: RefCell<Option<Rc<Posting>>>,
    /// How many posts are under way.
    pub(super) posting: Cell<usize>,
    pub(super) tasks: RefCell<Vec<AbortHandle>>,
    /// Whether the session has been ended.
    pub(super) over: Cell<bool>,
    /// Of HTTP+SSE: the responses that came beside the stream.
    pub(super) in_bodies: RefCell<InBodies>,
}

impl Http {
    pub(super) fn new(client: Rc<Client>, url: Option<Url>, stream: Option<Url>) -> Http {
        Http {
            client,
            url: RefCell::new(url),
            stream,
            session_id: RefCell::default(),
            listens: Cell::default(),
            standing: RefCell::default(),
            posting: Cell::default(),
            tasks: RefCell::default(),
            over: Cell::default(),
            in_bodies: RefCell::default(),
        }
    }
}
