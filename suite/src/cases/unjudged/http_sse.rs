use super::Unjudged;
use crate::spec::Revision::V2024_11_05;

pub(super) const CLAUSES: &[Unjudged] = &[
    Unjudged {
        id: "http-sse/client-posts-to-endpoint",
        title: "the client posts every message to the endpoint",
        since: V2024_11_05,
        until: V2024_11_05,
        unseen: None,
    },
    Unjudged {
        id: "http-sse/client-waits-for-endpoint",
        title: "the client sends nothing before the endpoint event",
        since: V2024_11_05,
        until: V2024_11_05,
        unseen: None,
    },
    Unjudged {
        id: "http-sse/client-resolves-relative",
        title: "the client resolves a relative endpoint",
        since: V2024_11_05,
        until: V2024_11_05,
        unseen: None,
    },
    Unjudged {
        id: "http-sse/client-reads-event-stream",
        title: "the client reads the whole event stream format",
        since: V2024_11_05,
        until: V2024_11_05,
        unseen: None,
    },
    Unjudged {
        id: "http-sse/client-refuses-foreign-endpoint",
        title: "the client does not follow an endpoint to another origin",
        since: V2024_11_05,
        until: V2024_11_05,
        unseen: None,
    },
    Unjudged {
        id: "http-sse/client-closes-to-shut-down",
        title: "the client ends the session by closing its connection",
        since: V2024_11_05,
        until: V2024_11_05,
        unseen: None,
    },
];
