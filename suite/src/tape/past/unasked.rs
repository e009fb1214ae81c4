use crate::tape::{Id, Kind, Message};

/// What the client has sent and wants no answer to.
#[derive(Debug, Default)]
pub struct Unasked {
    /// So many notifications may still be answered by mistake.
    notifications: u32,
    /// The first request behind them: once it is answered, they have been read.
    behind: Option<Id>,
}

impl Unasked {
    /// Whether a response without an id may answer a notification rather than a request: that is
    /// a matter of the transports' clauses. Over Streamable HTTP the post that it answers tells.
    pub fn excuses(&self, response: &Message) -> bool {
        let exchange = response.exchange.as_ref();
        match exchange.filter(|exchange| exchange.method == "POST" && !exchange.posted.is_empty()) {
            Some(exchange) => exchange.request().is_none(),
            None => self.notifications > 0,
        }
    }

    pub(super) fn notify(&mut self) {
        self.notifications += 1;
        self.behind = None;
    }

    pub(super) fn ask(&mut self, id: Option<&Id>) {
        if self.notifications > 0 && self.behind.is_none() {
            self.behind = id.cloned();
        }
    }

    pub(super) fn answer(&mut self, response: &Message) {
        debug_assert_eq!(response.kind(), Kind::Response);
        if response.is_without_id() {
            self.notifications = self.notifications.saturating_sub(1);
        } else if self.behind.is_some() && self.behind == response.id {
            *self = Unasked::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Id, Message, Unasked};

    fn response(id: &str) -> Message {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{}}}}"#);
        Message::all_of(text.as_bytes()).remove(0)
    }

    #[test]
    fn a_notification_excuses_one_response_without_an_id_until_it_has_been_read() {
        let nameless = response("null");
        let mut unasked = Unasked::default();
        assert!(!unasked.excuses(&nameless));
        unasked.notify();
        assert!(unasked.excuses(&nameless));
        unasked.answer(&nameless);
        assert!(!unasked.excuses(&nameless));

        unasked.notify();
        unasked.ask(Some(&Id::Number("1".to_owned())));
        unasked.ask(Some(&Id::Number("2".to_owned())));
        unasked.answer(&response("2"));
        assert!(unasked.excuses(&nameless));
        unasked.answer(&response("1"));
        assert!(!unasked.excuses(&nameless));
    }
}
