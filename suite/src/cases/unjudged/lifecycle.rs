use super::Unjudged;
use crate::spec::Revision::{V2024_11_05, V2025_03_26, V2025_11_25};

pub(super) const CLAUSES: &[Unjudged] = &[
    Unjudged {
        id: "lifecycle/max-timeout",
        title: "Progress does not extend time-outs for ever",
        since: V2025_03_26,
        until: V2025_11_25,
        unseen: Some("Would need a wait of unknown length."),
    },
    Unjudged {
        id: "lifecycle/timeout-configurable",
        title: "Time-outs can be set for each request",
        since: V2025_03_26,
        until: V2025_11_25,
        unseen: Some("A property of an API."),
    },
    Unjudged {
        id: "lifecycle/client-initialize-first",
        title: "The client begins with initialize",
        since: V2024_11_05,
        until: V2025_11_25,
        unseen: None,
    },
    Unjudged {
        id: "lifecycle/client-initialize-params",
        title: "initialize carries version, capabilities and client info",
        since: V2024_11_05,
        until: V2025_11_25,
        unseen: None,
    },
    Unjudged {
        id: "lifecycle/client-initialized-sent",
        title: "The client sends notifications/initialized",
        since: V2024_11_05,
        until: V2025_11_25,
        unseen: None,
    },
    Unjudged {
        id: "lifecycle/client-no-early-requests",
        title: "The client waits for the answer to initialize",
        since: V2024_11_05,
        until: V2025_11_25,
        unseen: None,
    },
    Unjudged {
        id: "lifecycle/client-version-known",
        title: "The client asks for a published version",
        since: V2024_11_05,
        until: V2025_11_25,
        unseen: None,
    },
    Unjudged {
        id: "lifecycle/client-disconnects",
        title: "The client leaves when the version does not suit",
        since: V2024_11_05,
        until: V2025_11_25,
        unseen: None,
    },
    Unjudged {
        id: "lifecycle/client-initialize-not-batched",
        title: "initialize is not part of a batch",
        since: V2025_03_26,
        until: V2025_03_26,
        unseen: None,
    },
    Unjudged {
        id: "lifecycle/client-negotiated-only",
        title: "The client uses only what was negotiated",
        since: V2024_11_05,
        until: V2025_11_25,
        unseen: None,
    },
    Unjudged {
        id: "lifecycle/client-timeouts",
        title: "The client gives up on silent requests and cancels them",
        since: V2024_11_05,
        until: V2025_11_25,
        unseen: None,
    },
];
