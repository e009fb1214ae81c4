//! The shape of errors.

use super::{
    super::prelude::*,
    judged_response,
    methods::UnknownMethod,
    triage::{Defect, free_of, is_integer},
};

pub(super) const CASES: &[Case] = &[
    ERROR_OBJECT,
    ERROR_CODE_INTEGER,
    ERROR_MESSAGE_STRING,
    ERROR_MESSAGE_CONCISE,
    ERROR_CODE_RESERVED,
];

const NO_ERROR: &str = "no error response was received";

/// The error response that the event is.
fn error<'a>(event: &Event<'a>) -> Option<&'a Message> {
    judged_response(event).filter(|message| message.has_error())
}

/// The text of the error that the event is.
fn error_text<'a>(event: &Event<'a>) -> Option<(&'a Message, &'a str)> {
    let message = error(event)?;
    Some((message, message.get("error")?.get("message")?.as_str()?))
}

/// Makes the server send an error; what it is like is judged by a rule.
async fn provoke(s: &Talk) -> Result<(), Stop> {
    let scene = s.scene::<UnknownMethod>().await?;
    match scene.replies().iter().any(|(_, reply)| reply.is_error()) {
        true => Ok(()),
        false => unverified("a request for an unknown method is not answered with an error"),
    }
}

const ERROR_OBJECT: Case = Case::probe(
    Clause {
        id: "jsonrpc/error-object",
        title: "error is an object",
        statement: "The value of `error` in a response is an object.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
            (V2025_11_25, "basic/index#error-responses"),
        ],
        fault: "error-is-string",
    },
    Advice {
        why: "Clients look for code and message in it, and fail on anything else.",
        how: "A request for an unknown method; besides, every error response of the run is \
            looked at.",
        mend: "Answer with an object that has `code` and `message`.",
    },
    Stage::Shared,
    |s| Box::pin(provoke(s)),
)
.with_rule(Rule {
    subject: |event, _| error(event).is_some(),
    holds: |event, past| free_of(Defect::ErrorShape, event, past),
    unseen: NO_ERROR,
});

const ERROR_CODE_INTEGER: Case = Case::probe(
    Clause {
        id: "jsonrpc/error-code-integer",
        title: "Error codes are integers",
        statement: "`error.code` is present and an integer.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
            (V2025_11_25, "basic/index#error-responses"),
        ],
        fault: "error-code-string",
    },
    Advice {
        why: "Clients type the code as an integer and fail to decode the rest with it.",
        how: "A request for an unknown method; besides, every error response of the run is \
            looked at.",
        mend: "Map your own errors to integers. In Node `error.code` may be a string such as \
            ENOENT: do not pass it on.",
    },
    Stage::Shared,
    |s| Box::pin(provoke(s)),
)
.with_rule(Rule {
    subject: |event, _| error(event).is_some(),
    holds: |event, past| free_of(Defect::Code, event, past),
    unseen: NO_ERROR,
});

const ERROR_MESSAGE_STRING: Case = Case::probe(
    Clause {
        id: "jsonrpc/error-message-string",
        title: "Error messages are strings",
        statement: "`error.message` is present and a string.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
            (V2025_11_25, "basic/index#error-responses"),
        ],
        fault: "error-message-missing",
    },
    Advice {
        why: "It is what the user is shown; without it clients fail to decode the error.",
        how: "A request for an unknown method; besides, every error response of the run is \
            looked at.",
        mend: "Give every error a message, and put objects into `data`.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            provoke(s).await?;
            let scene = s.scene::<UnknownMethod>().await?;
            let empty = |reply: &Reply| {
                let error = reply.message().and_then(|message| message.get("error"));
                error.is_some_and(|error| error["message"] == "")
            };
            if scene.replies().iter().any(|(_, reply)| empty(reply)) {
                s.remark("the message of the error for an unknown method is empty");
            }
            Ok(())
        })
    },
)
.with_rule(Rule {
    subject: |event, _| error(event).is_some(),
    holds: |event, past| free_of(Defect::Text, event, past),
    unseen: NO_ERROR,
});

/// The longest message that may be a sentence, in characters.
const LONG: usize = 1000;

const ERROR_MESSAGE_CONCISE: Case = Case::rule(
    Clause {
        id: "jsonrpc/error-message-concise",
        title: "Error messages are one short sentence",
        statement: "`error.message` is limited to a concise single sentence; detail belongs in `data`.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/index#schema"),
            (V2025_06_18, "schema#jsonrpcerror"),
            (V2025_11_25, "schema#error"),
        ],
        fault: "error-message-multiline",
    },
    Advice {
        why: "Users are shown the message; a stack trace or a validator's report there hides \
            what went wrong.",
        how: "Looks at the message of every error response of the run: a line break, or more \
            than 1,000 characters, is no sentence.",
        mend: "Say in one sentence what is wrong, and put the rest into `data` or into the log.",
    },
    Rule {
        subject: |event, _| error_text(event).is_some(),
        holds: |event, past| {
            let Some((message, text)) = error_text(event) else {
                return Ok(());
            };
            if text.contains(['\n', '\r']) {
                return broken_by("`error.message` has several lines", message, past);
            }
            // A long name that the client itself has sent may well be repeated.
            let asked = past.client.asked(message);
            if asked.is_none() && past.client.forgotten {
                return Ok(());
            }
            let own = asked.map_or(0, |asked| match text.contains(&*asked.method) {
                true => asked.method.chars().count(),
                false => 0,
            });
            match text.chars().count() - own {
                length if length > LONG => broken_by(
                    format!("`error.message` has {length} characters"),
                    message,
                    past,
                ),
                _ => Ok(()),
            }
        },
        unseen: NO_ERROR,
    },
);

const ERROR_CODE_RESERVED: Case = Case::rule(
    Clause {
        id: "jsonrpc/error-code-reserved",
        title: "No made-up codes in JSON-RPC's reserved range",
        statement: "Between -32768 and -32000 the server uses only codes that JSON-RPC defines: \
            -32700, -32600 to -32603, and the implementation's own -32099 to -32000.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
            (V2025_11_25, "basic/index#error-responses"),
        ],
        fault: "error-code-undefined-reserved",
    },
    Advice {
        why: "Codes in the reserved range mean what JSON-RPC says, now or later; a client may \
            act on them.",
        how: "Reads the code of every error response of the run.",
        mend: "Use -32603, a code from -32099 to -32000, or one outside -32768 to -32000.",
    },
    Rule {
        subject: |event, _| {
            error(event).is_some_and(|message| message.error_code().is_some_and(is_integer))
        },
        holds: |event, past| {
            let code = error(event).and_then(|message| Some((message, message.error_code()?)));
            match code.and_then(|(message, code)| Some((message, code.as_f64()?))) {
                Some((message, code)) if is_undefined(code) => broken_by(
                    format!("the code {code} is reserved by JSON-RPC and not defined"),
                    message,
                    past,
                ),
                _ => Ok(()),
            }
        },
        unseen: NO_ERROR,
    },
);

fn is_undefined(code: f64) -> bool {
    let defined = code == -32700.0
        || (-32603.0..=-32600.0).contains(&code)
        || (-32099.0..=-32000.0).contains(&code);
    (-32768.0..=-32000.0).contains(&code) && !defined
}
