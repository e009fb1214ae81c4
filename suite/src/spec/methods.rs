//! What may be asked and told in each revision, and which definitions of the schemas say how.

use super::Revision::{self, V2024_11_05, V2025_06_18, V2025_11_25, V2026_07_28};

/// One of the two ends of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The end that starts the session.
    Client,
    /// The end that is under test.
    Server,
}

/// A request or a notification, in the revisions in which it has these senders.
#[derive(Debug)]
pub struct Method {
    /// The value of `method`.
    pub name: &'static str,
    /// Who may send it.
    pub senders: &'static [Side],
    /// The first of the revisions.
    pub since: Revision,
    /// The last of the revisions.
    pub until: Revision,
    /// The definition of the message.
    pub definition: &'static str,
    /// The definition of the result, of a request.
    pub result: Option<&'static str>,
}

const CLIENT: &[Side] = &[Side::Client];
const SERVER: &[Side] = &[Side::Server];
const BOTH: &[Side] = &[Side::Client, Side::Server];

const EVER: [Revision; 2] = [V2024_11_05, V2026_07_28];
const LEGACY: [Revision; 2] = [V2024_11_05, V2025_11_25];
const LAST_LEGACY: [Revision; 2] = [V2025_11_25; 2];
const MODERN: [Revision; 2] = [V2026_07_28; 2];

/// Every method, requests first. One that changed its senders stands here once for each of them.
#[rustfmt::skip]
pub const METHODS: &[Method] = &[
    request("initialize", CLIENT, LEGACY, "InitializeRequest", "InitializeResult"),
    request("server/discover", CLIENT, MODERN, "DiscoverRequest", "DiscoverResult"),
    request("ping", BOTH, LEGACY, "PingRequest", "EmptyResult"),
    request("tools/list", CLIENT, EVER, "ListToolsRequest", "ListToolsResult"),
    request("tools/call", CLIENT, EVER, "CallToolRequest", "CallToolResult"),
    request("resources/list", CLIENT, EVER, "ListResourcesRequest", "ListResourcesResult"),
    request("resources/templates/list", CLIENT, EVER, "ListResourceTemplatesRequest", "ListResourceTemplatesResult"),
    request("resources/read", CLIENT, EVER, "ReadResourceRequest", "ReadResourceResult"),
    request("resources/subscribe", CLIENT, LEGACY, "SubscribeRequest", "EmptyResult"),
    request("resources/unsubscribe", CLIENT, LEGACY, "UnsubscribeRequest", "EmptyResult"),
    request("prompts/list", CLIENT, EVER, "ListPromptsRequest", "ListPromptsResult"),
    request("prompts/get", CLIENT, EVER, "GetPromptRequest", "GetPromptResult"),
    request("completion/complete", CLIENT, EVER, "CompleteRequest", "CompleteResult"),
    request("logging/setLevel", CLIENT, LEGACY, "SetLevelRequest", "EmptyResult"),
    request("subscriptions/listen", CLIENT, MODERN, "SubscriptionsListenRequest", "SubscriptionsListenResult"),
    request("sampling/createMessage", SERVER, LEGACY, "CreateMessageRequest", "CreateMessageResult"),
    request("roots/list", SERVER, LEGACY, "ListRootsRequest", "ListRootsResult"),
    request("elicitation/create", SERVER, [V2025_06_18, V2025_11_25], "ElicitRequest", "ElicitResult"),
    request("tasks/get", BOTH, LAST_LEGACY, "GetTaskRequest", "GetTaskResult"),
    request("tasks/result", BOTH, LAST_LEGACY, "GetTaskPayloadRequest", "GetTaskPayloadResult"),
    request("tasks/cancel", BOTH, LAST_LEGACY, "CancelTaskRequest", "CancelTaskResult"),
    request("tasks/list", BOTH, LAST_LEGACY, "ListTasksRequest", "ListTasksResult"),
    notification("notifications/initialized", CLIENT, LEGACY, "InitializedNotification"),
    notification("notifications/cancelled", BOTH, EVER, "CancelledNotification"),
    notification("notifications/progress", BOTH, LEGACY, "ProgressNotification"),
    notification("notifications/progress", SERVER, MODERN, "ProgressNotification"),
    notification("notifications/message", SERVER, EVER, "LoggingMessageNotification"),
    notification("notifications/tools/list_changed", SERVER, EVER, "ToolListChangedNotification"),
    notification("notifications/resources/list_changed", SERVER, EVER, "ResourceListChangedNotification"),
    notification("notifications/resources/updated", SERVER, EVER, "ResourceUpdatedNotification"),
    notification("notifications/prompts/list_changed", SERVER, EVER, "PromptListChangedNotification"),
    notification("notifications/roots/list_changed", CLIENT, LEGACY, "RootsListChangedNotification"),
    notification("notifications/elicitation/complete", SERVER, LAST_LEGACY, "ElicitationCompleteNotification"),
    notification("notifications/tasks/status", BOTH, LAST_LEGACY, "TaskStatusNotification"),
    notification("notifications/subscriptions/acknowledged", SERVER, MODERN, "SubscriptionsAcknowledgedNotification"),
];

const fn request(
    name: &'static str,
    senders: &'static [Side],
    [since, until]: [Revision; 2],
    definition: &'static str,
    result: &'static str,
) -> Method {
    Method {
        name,
        senders,
        since,
        until,
        definition,
        result: Some(result),
    }
}

const fn notification(
    name: &'static str,
    senders: &'static [Side],
    [since, until]: [Revision; 2],
    definition: &'static str,
) -> Method {
    Method {
        name,
        senders,
        since,
        until,
        definition,
        result: None,
    }
}

impl Method {
    /// Whether it belongs to `revision`.
    pub fn holds_in(&self, revision: Revision) -> bool {
        (self.since..=self.until).contains(&revision)
    }

    /// Whether `side` may send it.
    pub fn is_sent_by(&self, side: Side) -> bool {
        self.senders.contains(&side)
    }

    /// Whether a message of this method is answered.
    pub fn is_request(&self) -> bool {
        self.result.is_some()
    }
}

/// The method of this name in `revision`.
pub fn find(revision: Revision, name: &str) -> Option<&'static Method> {
    METHODS
        .iter()
        .find(|method| method.name == name && method.holds_in(revision))
}

/// The revisions in which `side` may send `name`, oldest first.
pub fn revisions(name: &str, side: Side) -> impl Iterator<Item = Revision> {
    Revision::ALL
        .into_iter()
        .filter(move |&revision| find(revision, name).is_some_and(|method| method.is_sent_by(side)))
}
