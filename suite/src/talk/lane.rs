//! What the cases of one lane share: scenes that were played, and the end of the session.

use std::{
    any::{Any, TypeId},
    cell::{Cell, RefCell},
    collections::HashMap,
    future::Future,
    rc::Rc,
};

use tokio::sync::{Notify, OnceCell};

use super::{Talk, reply::Missing};
use crate::{case::Stop, session::End, tape::Excerpt};

/// The scenes of one lane, by their type.
#[derive(Default)]
pub(crate) struct Lane {
    scenes: RefCell<HashMap<TypeId, Rc<OnceCell<Played>>>>,
}

/// A scene that was played, and what was said in it.
#[derive(Clone)]
pub(super) struct Played {
    pub(super) outcome: Rc<dyn Any>,
    pub(super) log: Vec<Excerpt>,
    /// The answers that had not come when they were waited for.
    pub(super) missing: Vec<Missing>,
    /// Whether the server was too busy for a part of it.
    pub(super) too_busy: bool,
}

impl Lane {
    /// The place of a scene, empty until it has been played.
    pub(super) fn place<S: Scene>(&self) -> Rc<OnceCell<Played>> {
        let mut scenes = self.scenes.borrow_mut();
        Rc::clone(scenes.entry(TypeId::of::<S>()).or_default())
    }
}

/// Something that several cases look at and that is played once for all of them.
pub(crate) trait Scene: Sized + 'static {
    /// Plays it.
    fn play(talk: &Talk) -> impl Future<Output = Result<Self, Stop>>;
}

/// A conversation for several cases that can be held once only: where it fails, it has failed for
/// all of them.
pub(crate) trait Conversation: Sized + 'static {
    /// Holds it.
    fn hold(talk: &Talk) -> impl Future<Output = Result<Self, Stop>>;
}

/// What a conversation showed, or why it showed nothing.
pub(super) struct Held<T>(pub(super) Result<Rc<T>, Stop>);

impl<T: Conversation> Scene for Held<T> {
    async fn play(talk: &Talk) -> Result<Held<T>, Stop> {
        match T::hold(talk).await {
            // In the session that comes in the place of this one it can be held.
            Err(Stop::Interrupted) => Err(Stop::Interrupted),
            result => Ok(Held(result.map(Rc::new))),
        }
    }
}

/// How a session that cases wait for has come to its end.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// In order, everything read.
    Done(Rc<End>),
    /// It broke before, by this case.
    Broke(&'static str),
}

/// The end of a session, for those who wait for it.
#[derive(Default)]
pub(crate) struct Curtain {
    ending: RefCell<Option<Ending>>,
    fallen: Notify,
    /// Whether the session has a leave to run, which it may give away.
    pub(crate) runs: Cell<bool>,
    /// A case has begun to wait for the end.
    pub(super) waits: Notify,
}

impl Curtain {
    pub(crate) fn fall(&self, ending: Ending) {
        self.ending.borrow_mut().get_or_insert(ending);
        self.fallen.notify_waiters();
    }

    /// Completes when a case has begun to wait for the end since this was asked last.
    pub(crate) async fn someone_waits(&self) {
        self.waits.notified().await;
    }

    pub(super) async fn wait(&self) -> Ending {
        loop {
            let fallen = self.fallen.notified();
            if let Some(ending) = self.ending.borrow().clone() {
                return ending;
            }
            fallen.await;
        }
    }
}
