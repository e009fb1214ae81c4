//! Which version the server answers with when it is asked for one: each is asked for once in a run.

use std::{cell::RefCell, collections::HashMap};

use tokio::sync::Notify;

use super::{Reply, Talk};
use crate::{case::Stop, session::OpenFailure, spec::Revision, tape::says_nothing};

/// What came of asking for a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// A result that names this one.
    Version(String),
    /// An error, or a refusal by the transport.
    Refused,
    /// No answer, or a result that names none.
    Nothing,
}

impl Offered {
    pub(crate) fn of(reply: &Reply) -> Offered {
        match reply.result() {
            Some(result) => match result["protocolVersion"].as_str() {
                Some(version) => Offered::Version(version.to_owned()),
                None => Offered::Nothing,
            },
            None => match reply {
                // An internal error may be gone the next time.
                Reply::Refused(refusal) if refusal.status >= 500 || refusal.says_nothing() => {
                    Offered::Nothing
                }
                reply if reply.is_refusal() => Offered::Refused,
                _ => Offered::Nothing,
            },
        }
    }

    pub(crate) fn of_failure(failure: &OpenFailure) -> Offered {
        match failure {
            OpenFailure::OtherRevision(version) => Offered::Version(version.clone()),
            OpenFailure::Status(status, _) if *status >= 500 || says_nothing(*status) => {
                Offered::Nothing
            }
            OpenFailure::Refused(_) | OpenFailure::Status(..) => Offered::Refused,
            _ => Offered::Nothing,
        }
    }

    /// The version, if one was named.
    pub(crate) fn version(&self) -> Option<&str> {
        match self {
            Offered::Version(version) => Some(version),
            _ => None,
        }
    }
}

/// What is known of the versions so far, in the whole run.
#[derive(Default)]
pub(crate) struct Versions {
    answers: RefCell<HashMap<Revision, Option<Offered>>>,
    told: Notify,
}

impl Versions {
    /// Whether the caller is the first one, and so has to ask and tell.
    pub(crate) fn claim(&self, revision: Revision) -> bool {
        let mut answers = self.answers.borrow_mut();
        let first = !answers.contains_key(&revision);
        answers.entry(revision).or_default();
        first
    }

    /// Notes what came of it; the first answer counts.
    pub(crate) fn tell(&self, revision: Revision, offered: Offered) {
        let mut answers = self.answers.borrow_mut();
        answers.entry(revision).or_default().get_or_insert(offered);
        self.told.notify_waiters();
    }

    async fn wait(&self, revision: Revision) -> Offered {
        loop {
            let told = self.told.notified();
            let known = self.answers.borrow().get(&revision).cloned().flatten();
            if let Some(offered) = known {
                return offered;
            }
            told.await;
        }
    }
}

impl Talk {
    /// What the server answers when it is asked for this revision: as the run has found out, or
    /// in a further session if nobody has asked yet.
    pub(crate) async fn offered(&self, revision: Revision) -> Offered {
        if self.common.versions.claim(revision) {
            let offered = match self.asked_apart(revision).await {
                Ok(reply) => Offered::of(&reply),
                Err(_) => Offered::Nothing,
            };
            self.common.versions.tell(revision, offered);
        }
        self.common.versions.wait(revision).await
    }

    async fn asked_apart(&self, revision: Revision) -> Result<Reply, Stop> {
        let other = self.another_in(revision)?;
        other.say_initialize(other.initialize_params()).await
    }
}
