//! What opens the sessions of one revision.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use super::{Limits, Observer, Recorder, Session};
use crate::{
    spec::{Revision, Transport},
    target::{LaunchError, Permissions, Target},
    transport::Client,
};

/// How the rules see a session.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seen {
    /// As the first one of its lane, which shows whether the revision is spoken, and beside which
    /// nothing of the run is open.
    Leading,
    /// As one of this lane.
    InLane(usize),
    /// Not at all.
    ByNobody,
}

/// Makes the observer of a session.
type Observing = Box<dyn Fn(Seen) -> Rc<RefCell<dyn Observer>>>;

/// See the module.
pub(crate) struct Launcher {
    pub(crate) target: Rc<Target>,
    pub(crate) revision: Revision,
    pub(crate) permissions: Rc<Permissions>,
    client: Option<Rc<Client>>,
    limits: Rc<Cell<Limits>>,
    recorder: Rc<Recorder>,
    observing: Observing,
    /// Sessions that no lane has a claim to.
    spare: Cell<u32>,
}

impl Launcher {
    pub(crate) fn new(
        target: Rc<Target>,
        permissions: Rc<Permissions>,
        client: Option<Rc<Client>>,
        revision: Revision,
        limits: Rc<Cell<Limits>>,
        recorder: Rc<Recorder>,
        observing: Observing,
    ) -> Launcher {
        Launcher {
            target,
            revision,
            permissions,
            client,
            limits,
            recorder,
            observing,
            spare: Cell::new(0),
        }
    }

    pub(crate) fn transport(&self) -> Transport {
        self.target.transport()
    }

    /// Whether the user gave headers to be sent along.
    pub(crate) fn sends_headers(&self) -> bool {
        match &*self.target {
            Target::Http(endpoint) | Target::Sse(endpoint) => !endpoint.headers.is_empty(),
            Target::Stdio(_) => false,
        }
    }

    /// A session to which nothing has been said.
    pub(crate) fn launch(&self, seen: Seen) -> Result<Rc<Session>, LaunchError> {
        self.launch_in(self.revision, seen)
    }

    /// The same, to be opened in this revision.
    pub(crate) fn launch_in(
        &self,
        revision: Revision,
        seen: Seen,
    ) -> Result<Rc<Session>, LaunchError> {
        self.launch_seen_by(revision, (self.observing)(seen), &[])
    }

    /// The same with an observer of its own, and environment variables besides.
    pub(crate) fn launch_seen_by(
        &self,
        revision: Revision,
        observer: Rc<RefCell<dyn Observer>>,
        env: &[(&str, &str)],
    ) -> Result<Rc<Session>, LaunchError> {
        let (recorder, limits) = (Rc::clone(&self.recorder), self.limits.get());
        match (&*self.target, &self.client) {
            (Target::Http(endpoint) | Target::Sse(endpoint), Some(client)) => {
                Ok(Session::over_http(
                    Rc::clone(client),
                    endpoint.url.clone(),
                    self.transport() == Transport::HttpSse,
                    revision,
                    limits,
                    recorder,
                    observer,
                ))
            }
            (Target::Stdio(command), _) => {
                Session::launch(command, env, revision, limits, recorder, observer)
            }
            (_, None) => unreachable!("a target over HTTP comes with a client"),
        }
    }

    /// Gives so many sessions to those who have no claim to one.
    pub(crate) fn set_spare(&self, spare: u32) {
        self.spare.set(spare);
    }

    /// Takes a session that nobody has a claim to; false if there is none left.
    pub(crate) fn take_spare(&self) -> bool {
        let spare = self.spare.get();
        self.spare.set(spare.saturating_sub(1));
        spare > 0
    }
}
