//! The session ids that are in use in a run: a server may give one twice.

use std::cell::{Cell, RefCell};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct SessionIds {
    /// Ids, and the numbers of our sessions that have them.
    held: RefCell<Vec<(String, u32)>>,
    /// Whether sessions are left to the server: it ends others with the one that it is told to end.
    kept: Cell<bool>,
}

impl SessionIds {
    /// A session has this id from now on.
    pub(super) fn hold(&self, id: &str, session: u32) {
        self.release(session);
        self.held.borrow_mut().push((id.to_owned(), session));
    }

    /// A session has no id any more.
    pub(super) fn release(&self, session: u32) {
        self.held
            .borrow_mut()
            .retain(|(_, holder)| *holder != session);
    }

    /// Whether another session than this one has the id.
    pub(super) fn is_shared(&self, id: &str, session: u32) -> bool {
        let held = self.held.borrow();
        held.iter()
            .any(|(other, holder)| other == id && *holder != session)
    }

    /// Sessions are not ended from now on.
    pub(crate) fn keep_all(&self) {
        self.kept.set(true);
    }

    /// Whether sessions are not to be ended.
    pub(crate) fn are_kept(&self) -> bool {
        self.kept.get()
    }
}
