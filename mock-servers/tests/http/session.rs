//! Sessions, each with its handshake done.

use serde_json::Value;

use crate::answer::{Answer, data};
use crate::client::{Ask, Site, initialize, notification, ping};

/// A session over Streamable HTTP.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) site: Site,
    pub(crate) id: String,
    revision: String,
}

impl Session {
    pub(crate) async fn open(site: &Site, revision: &str) -> Self {
        let answer = site.post(initialize(revision)).whole().await;
        assert_eq!(answer.response()["result"]["protocolVersion"], revision);
        let session = Self {
            site: site.clone(),
            id: answer.header("mcp-session-id").expect("an id").to_owned(),
            revision: revision.to_owned(),
        };
        let initialized = notification("notifications/initialized");
        assert!(session.post(initialized).status().await < 300);
        session
    }

    fn of_session(&self, ask: Ask) -> Ask {
        let ask = ask.with("Mcp-Session-Id", &self.id);
        if self.revision.as_str() >= "2025-06-18" {
            ask.with("MCP-Protocol-Version", &self.revision)
        } else {
            ask
        }
    }

    pub(crate) fn ask(&self, method: &str) -> Ask {
        self.of_session(self.site.ask(method))
    }

    pub(crate) fn post(&self, body: impl ToString) -> Ask {
        self.of_session(self.site.post(body))
    }

    pub(crate) fn get(&self) -> Ask {
        self.ask("GET").with("Accept", "text/event-stream")
    }

    pub(crate) fn resume(&self, id: &str) -> Ask {
        self.get().with("Last-Event-ID", id)
    }

    pub(crate) async fn is_alive(&self) -> bool {
        self.post(ping("alive")).status().await == 200
    }
}

/// A session over HTTP+SSE.
pub(crate) struct Stream {
    pub(crate) site: Site,
    pub(crate) endpoint: String,
    pub(crate) events: Answer,
}

impl Stream {
    /// Connects, and does the handshake.
    pub(crate) async fn open(site: &Site, revision: &str) -> Self {
        let mut stream = Self::connect(site).await;
        let response = stream.exchange(initialize(revision)).await;
        assert_eq!(response["result"]["protocolVersion"], revision);
        let initialized = notification("notifications/initialized");
        assert_eq!(stream.post(initialized).status().await, 202);
        stream
    }

    pub(crate) async fn connect(site: &Site) -> Self {
        let mut events = site
            .ask("GET")
            .with("Accept", "text/event-stream")
            .send()
            .await;
        assert_eq!(events.status, 200);
        let endpoint = events.event().await.expect("an event");
        assert!(endpoint.starts_with("event: endpoint\n"), "{endpoint}");
        Self {
            site: site.clone(),
            endpoint: data(&endpoint),
            events,
        }
    }

    pub(crate) fn post(&self, body: impl ToString) -> Ask {
        self.site.post(body).to(&self.endpoint)
    }

    pub(crate) async fn message(&mut self) -> Value {
        self.events.message().await.expect("a message")
    }

    /// Posts a request, and waits for the next message.
    pub(crate) async fn exchange(&mut self, request: Value) -> Value {
        let posted = self.post(request).whole().await;
        assert_eq!((posted.status, posted.text()), (202, ""));
        self.message().await
    }
}
