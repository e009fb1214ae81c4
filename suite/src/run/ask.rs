//! Asking whether a revision is spoken, by opening the first session in it.

use std::{cell::RefCell, rc::Rc, time::Duration};

use tokio::{
    sync::SemaphorePermit,
    time::{Instant, sleep},
};

use super::{lane::Open, live::Revisioned};
use crate::{
    session::{How, Newline, OpenFailure, Seen, Session},
    talk::Offered,
    tape::{Id, escaped},
    target::LaunchError,
};

/// What came of asking for a revision.
pub(super) enum Asked<'a> {
    Open(Open<'a>),
    /// It answers, but in a way that breaks this clause and leaves no session.
    Unreadable(&'static str),
    Failed(OpenFailure, Rc<Session>),
}

impl<'a> Revisioned<'a> {
    /// Opens the first session, which shows whether the revision is spoken; `alone` if nothing else of
    /// the run is open.
    pub(super) async fn ask(&self, alone: bool) -> Result<Asked<'a>, LaunchError> {
        let permit = self.live.permit().await;
        self.live.versions.claim(self.revision);
        let asked = self.ask_now(permit, alone).await;
        let offered = match &asked {
            Ok(Asked::Open(_)) => Offered::Version(self.revision.to_string()),
            Ok(Asked::Failed(failure, _)) => Offered::of_failure(failure),
            Ok(Asked::Unreadable(_)) | Err(_) => Offered::Nothing,
        };
        self.live.versions.tell(self.revision, offered);
        asked
    }

    async fn ask_now(
        &self,
        permit: SemaphorePermit<'a>,
        alone: bool,
    ) -> Result<Asked<'a>, LaunchError> {
        let seen = match alone {
            true => Seen::Leading,
            false => Seen::InLane(0),
        };
        let session = self.common.launcher.launch(seen)?;
        session.set_listens();
        let begin = Instant::now();
        let trial = RefCell::default();
        let opened = tokio::select! {
            biased;
            opened = session.handshake(Newline::Lf, session.limits.first_answer) => opened,
            () = self.holds_back(&trial) => Err(OpenFailure::Silent),
        };
        if let Some(unfinished) = trial.take() {
            unfinished.end(How::Quickly).await;
        }
        let Err(failure) = opened else {
            self.note_server(&session, begin.elapsed());
            return Ok(Asked::Open(Open { session, permit }));
        };
        if failure == OpenFailure::Silent {
            session.give_up();
        }
        session.end(How::Quickly).await;
        let said = session.with_state(|state| state.messages > 0 || state.garbled);
        let broken = self.findings.borrow().broken();
        Ok(match (&failure, broken) {
            // There is an endpoint, and it takes no POST.
            (OpenFailure::Status(405 | 501, _), Some(clause)) => Asked::Unreadable(clause),
            // It speaks a revision, and does not say which: that is a verdict.
            (OpenFailure::NoVersion, Some(clause)) => Asked::Unreadable(clause),
            (
                OpenFailure::OtherRevision(_)
                | OpenFailure::NoVersion
                | OpenFailure::Refused(_)
                | OpenFailure::Status(..),
                _,
            ) => Asked::Failed(failure, session),
            // It speaks, but in a way that no client can read: that is a verdict.
            (_, Some(clause)) if said || failure == OpenFailure::OnStderr => {
                Asked::Unreadable(clause)
            }
            _ => Asked::Failed(failure, session),
        })
    }

    /// Completes when it is clear that the server answers only once its stdin is closed: a
    /// second process, whose stdin is closed soon, answers then and long before the first.
    ///
    /// That process is in `trial` until it has been ended.
    async fn holds_back(&self, trial: &RefCell<Option<Rc<Session>>>) {
        if self.live.client.is_some() {
            std::future::pending::<()>().await;
        }
        if !self.live.held_back.get() {
            sleep(self.live.limits.get().answer).await;
        }
        let begin = Instant::now();
        let answered = self.trial(trial).await.is_some();
        let session = trial.take();
        if let Some(session) = session {
            session.end(How::Quickly).await;
        }
        if !answered {
            std::future::pending::<()>().await;
        }
        sleep(begin.elapsed() * 2 + Duration::from_secs(1)).await;
        self.live.held_back.set(true);
    }

    async fn trial(&self, trial: &RefCell<Option<Rc<Session>>>) -> Option<()> {
        let session = self.launch_unseen(&[]).ok()?;
        *trial.borrow_mut() = Some(Rc::clone(&session));
        let mut receiver = session.expect(Id::Text("initialize".to_owned()));
        let request = Newline::Lf.end(&session.initialize());
        session
            .write(&[request.as_bytes()], Duration::ZERO)
            .await
            .ok()?;
        // An answer that comes while stdin is open says that the first process is only slow.
        let open = Instant::now() + session.limits.quiet * 2;
        let early = session.answer(&mut receiver, open).await;
        session.close_stdin().await;
        if early.is_some() {
            return None;
        }
        let deadline = Instant::now() + session.limits.answer;
        session.answer(&mut receiver, deadline).await.map(drop)
    }

    fn note_server(&self, session: &Session, startup: Duration) {
        let mut limits = self.live.limits.get();
        // What has started once starts again in about the time, a busy machine allowed for.
        limits.first_answer = limits.first_answer.min(limits.answer + startup * 5);
        self.live.limits.set(limits);
        let info = session.initialized().unwrap_or_default()["serverInfo"].clone();
        let text = |name: &str| escaped(info[name].as_str().unwrap_or_default());
        self.live
            .server
            .borrow_mut()
            .get_or_insert_with(|| (text("name"), text("version")));
    }
}
