//! What answers `initialize`.

use super::{between::Between, nature, versions::UNKNOWN};
use crate::cases::prelude::*;

pub(super) const CASES: &[Case] = &[
    INITIALIZE_ANSWERED,
    RESULT_PROTOCOL_VERSION,
    RESULT_VERSION_PUBLISHED,
    RESULT_CAPABILITIES,
    super::server_info::SERVER_INFO,
    super::server_info::NAME,
    super::server_info::VERSION,
    super::server_info::TITLE,
    super::server_info::DESCRIPTION,
    super::server_info::WEBSITE_URL,
    super::server_info::ICONS,
    INSTRUCTIONS_STRING,
    EXPERIMENTAL_SHAPE,
];

/// The message and the result that it is of `initialize`.
pub(super) fn result<'a>(event: &Event<'a>, past: &Past) -> Option<(&'a Message, &'a Value)> {
    let message = message(event).filter(|_| past.at_initialize)?;
    Some((message, message.result()?))
}

/// Whether the event is the result of an `initialize`.
fn is_result(event: &Event<'_>, past: &Past) -> bool {
    result(event, past).is_some()
}

pub(super) const NO_RESULT: &str = "`initialize` was never answered with a result";

// The runner opens the session, and fails this case if no revision can be opened; what is left to
// see is the id that many clients send first.
const INITIALIZE_ANSWERED: Case = Case::probe(
    Clause {
        id: "lifecycle/initialize-answered",
        title: "initialize is answered with a result",
        statement: "A well-formed initialize request for a revision the server supports is answered \
            with a result.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "initialize-refused",
    },
    Advice {
        why: "Without this answer there is no session, and no client can do anything with the \
            server.",
        how: "The run asks for each revision in a session of its own; the case fails if all \
            refuse. In one more session the request has the id 0, which is what many clients \
            send first.",
        mend: "Answer a well-formed `initialize` with `protocolVersion`, `capabilities` and \
            `serverInfo`, whatever its id. A version that you do not know is no reason for an \
            error: offer one that you do.",
    },
    Stage::Unopened("between"),
    |s| {
        Box::pin(async {
            let between = s.held::<Between>().await?;
            match between.initialize.is_result() {
                true => Ok(()),
                false => violated(format!(
                    "`initialize` with the id 0 {}, though it is served with a string for an id",
                    between.initialize
                )),
            }
        })
    },
);

const RESULT_PROTOCOL_VERSION: Case = Case::rule(
    Clause {
        id: "lifecycle/result-protocol-version",
        title: "The result names a protocol version",
        statement: "The initialize result has a member `protocolVersion` that is a string.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "init-version-missing",
    },
    Advice {
        why: "The client cannot know which rules hold in the session, and most clients leave.",
        how: "Every result of `initialize` in the run is read.",
        mend: "Give `protocolVersion` as a string: the version that was asked for, or else your \
            newest.",
    },
    Rule {
        subject: is_result,
        holds: |event, past| match result(event, past) {
            Some((message, result)) if !result["protocolVersion"].is_string() => broken_by(
                format!(
                    "`protocolVersion` is {}, where a string should be",
                    nature(result.get("protocolVersion"))
                ),
                message,
                past,
            ),
            _ => Ok(()),
        },
        unseen: NO_RESULT,
    },
);

/// What MCP has published. TypeScript servers still know the first, from before the first revision.
const PUBLISHED: [&str; 6] = [
    "2024-10-07",
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    "2026-07-28",
];

/// Whether MCP has published the version, or it is a draft. The echo of what was made up is another
/// clause's matter.
fn is_published(version: &str) -> bool {
    PUBLISHED.contains(&version)
        || UNKNOWN.contains(&version)
        || version.to_ascii_lowercase().contains("draft")
}

const RESULT_VERSION_PUBLISHED: Case = Case::rule(
    Clause {
        id: "lifecycle/result-version-published",
        title: "The version in the result is a published one",
        statement: "The version that the server answers with is one that MCP has published.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#version-negotiation")],
        fault: "init-version-invented",
    },
    Advice {
        why: "No client can know what a version means that nobody has published, and most \
            clients leave.",
        how: "Every result of `initialize` in the run is read, the offers made for versions that \
            do not exist among them.",
        mend: "Offer the date of a revision of the specification, not the version of your server \
            or `latest`.",
    },
    Rule {
        subject: |event, past| {
            result(event, past).is_some_and(|(_, result)| result["protocolVersion"].is_string())
        },
        holds: |event, past| match result(event, past) {
            Some((message, result)) => match result["protocolVersion"].as_str() {
                Some(version) if !is_published(version) => broken_by(
                    format!(
                        "the result names `{}`, which is no version of MCP",
                        escaped(version)
                    ),
                    message,
                    past,
                ),
                _ => Ok(()),
            },
            None => Ok(()),
        },
        unseen: "`initialize` was never answered with a version that is a string",
    },
);

const RESULT_CAPABILITIES: Case = Case::rule(
    Clause {
        id: "lifecycle/result-capabilities",
        title: "The result carries a capabilities object",
        statement: "The initialize result has a member `capabilities` that is an object, possibly \
            empty.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "init-capabilities-missing",
    },
    Advice {
        why: "Clients read from it what they may ask for; many crash if it is missing.",
        how: "Every result of `initialize` in the run is read.",
        mend: "Always give `capabilities`; `{}` says that there are none.",
    },
    Rule {
        subject: is_result,
        holds: |event, past| match result(event, past) {
            Some((message, result)) if !result["capabilities"].is_object() => broken_by(
                format!(
                    "`capabilities` is {}, where an object should be",
                    nature(result.get("capabilities"))
                ),
                message,
                past,
            ),
            _ => Ok(()),
        },
        unseen: NO_RESULT,
    },
);

const INSTRUCTIONS_STRING: Case = Case::rule(
    Clause {
        id: "lifecycle/instructions-string",
        title: "instructions is a string where present",
        statement: "Optional instructions for the client are a string.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#initialization")],
        fault: "instructions-null",
    },
    Advice {
        why: "Clients that check types refuse the whole answer for it.",
        how: "Every result of `initialize` in the run is read.",
        mend: "Leave `instructions` out where there are none: `null` is no string.",
    },
    Rule {
        subject: is_result,
        holds: |event, past| match result(event, past) {
            Some((message, result)) => match result.get("instructions") {
                None | Some(Value::String(_)) => Ok(()),
                other => broken_by(
                    format!(
                        "`instructions` is {}, where a string should be",
                        nature(other)
                    ),
                    message,
                    past,
                ),
            },
            None => Ok(()),
        },
        unseen: NO_RESULT,
    },
);

const EXPERIMENTAL_SHAPE: Case = Case::rule(
    Clause {
        id: "lifecycle/experimental-shape",
        title: "Experimental capabilities are objects",
        statement: "`capabilities.experimental`, where present, is an object whose values are objects.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#capability-negotiation")],
        fault: "experimental-boolean",
    },
    Advice {
        why: "Clients that check types refuse the whole answer for it.",
        how: "Every result of `initialize` in the run is read.",
        mend: "Declare an experimental capability as an object, `{}` if it has no settings; \
            `true` is none.",
    },
    Rule {
        subject: |event, past| {
            result(event, past).is_some_and(|(_, result)| result["capabilities"].is_object())
        },
        holds: |event, past| {
            let Some((message, result)) = result(event, past) else {
                return Ok(());
            };
            let wrong = match result["capabilities"].get("experimental") {
                None => None,
                Some(Value::Object(all)) => {
                    all.iter()
                        .find(|(_, value)| !value.is_object())
                        .map(|(name, value)| {
                            format!(
                                "the experimental capability `{}` is {}",
                                escaped(name),
                                nature(Some(value))
                            )
                        })
                }
                other => Some(format!("`capabilities.experimental` is {}", nature(other))),
            };
            match wrong {
                Some(wrong) => {
                    broken_by(format!("{wrong}, where an object should be"), message, past)
                }
                None => Ok(()),
            }
        },
        unseen: "no answer to `initialize` has a capabilities object",
    },
);
