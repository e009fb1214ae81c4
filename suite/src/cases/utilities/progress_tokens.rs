//! Progress tokens: which one a notification has to carry.

use super::{
    prelude::*,
    progress::{Reported, report},
    slow::Slow,
};
use crate::tape::Asked;

pub(super) const CASES: &[Case] = &[KNOWN_TOKEN, TOKEN_TYPE, FALSY_TOKEN, ONLY_ON_REQUEST];

/// To which clause the token of a progress notification belongs.
#[derive(PartialEq)]
enum Claim {
    /// The client gave it, if perhaps as another type.
    Given,
    /// Whether anybody gave it is not known.
    Unseen,
    /// Nobody gave it, and it was made up for a request that gave none.
    Unrequested,
    /// Nobody gave it.
    Unknown,
}

fn claim(params: &Value, past: &Past) -> Claim {
    let token = params.get("progressToken").map(Id::of);
    let reports = &past.reports;
    let given = |token: &Id| reports.get(token).is_some() || reports.has_other_type(token);
    if reports.odd || token.as_ref().is_some_and(given) {
        return Claim::Given;
    }
    if reports.forgotten {
        return Claim::Unseen;
    }
    let works = |method: &str| !matches!(method, "ping" | "initialize");
    // What was cancelled may still be reported on.
    let in_flight = |(_, asked): &(&Id, &Asked)| asked.answers == 0 && works(&asked.method);
    let (mut with, mut without, mut is_id) = (false, false, false);
    for (id, asked) in past.client.iter().filter(in_flight) {
        with |= asked.progress_token.is_some();
        without |= asked.progress_token.is_none();
        is_id |= asked.progress_token.is_none() && token.as_ref() == Some(id);
    }
    // What stands there when a handler passes on the token that it did not get.
    let blank = matches!(token, None | Some(Id::Null)) || is_id;
    if without && (blank || !with) {
        Claim::Unrequested
    } else {
        Claim::Unknown
    }
}

fn claims(event: &Event<'_>, past: &Past, wanted: &Claim) -> bool {
    report(event).is_some_and(|(_, params)| claim(params, past) == *wanted)
}

/// The token as it stands, to stand behind "the progress token".
fn shown(params: &Value) -> String {
    match params.get("progressToken") {
        Some(token) => format!("the progress token {token}"),
        None => "a progress notification without a token".to_owned(),
    }
}

const KNOWN_TOKEN: Case = Case::rule(
    Clause {
        id: "utilities/progress-known-token",
        title: "Progress names a token of a request in progress",
        statement: "The progressToken of every progress notification is one that the client gave in a \
            request of the session that was not answered yet.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (
                V2024_11_05,
                "basic/utilities/progress#behavior-requirements",
            ),
            (V2026_07_28, "basic/patterns/progress#behavior-requirements"),
        ],
        fault: "progress-unknown-token",
    },
    Advice {
        why: "A client cannot tell whose progress it is, and shows it nowhere or in the wrong \
            place.",
        how: "Compares the token of each progress notification with those that the client has \
            given in the session. Tokens of another type, and notifications behind the \
            response, are judged by clauses of their own.",
        mend: "Take the token from `params._meta.progressToken` of the request that you report \
            on, not its id and none of your own.",
    },
    Rule {
        // A notification for a request without a token is judged elsewhere.
        subject: |event, past| {
            claims(event, past, &Claim::Given) || claims(event, past, &Claim::Unknown)
        },
        holds: |event, past| match report(event) {
            Some((message, params)) if claim(params, past) == Claim::Unknown => broken_by(
                format!("{} was given in no request of the session", shown(params)),
                message,
                past,
            ),
            _ => Ok(()),
        },
        unseen: "no progress notification came whose token can be compared",
    },
);

const TOKEN_TYPE: Case = Case::probe(
    Clause {
        id: "utilities/progress-token-type",
        title: "Tokens come back with their type",
        statement: "A string token comes back as that string and an integer token as that integer.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tools"), Gate::Met("progress-tool")],
        anchors: &[
            (V2024_11_05, "basic/utilities/progress#progress-flow"),
            (V2026_07_28, "basic/patterns/progress#progress-flow"),
        ],
        fault: "progress-token-stringified",
    },
    Advice {
        why: "Clients look the token up as it is; a number that comes back as a string finds \
            nothing.",
        how: "Calls the progress tool with string tokens, one of which looks like a number, and \
            with a number.",
        mend: "Keep the token as a JSON value; do not format it, and do not parse it.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let reported = s.held::<Reported>().await?;
            let tokens = [&reported.text, &reported.digits, &reported.number];
            for token in tokens {
                if let Some(other) = other_type(token)
                    && let Some((at, message)) = s.reports_of(&other).first()
                {
                    return violated_by(
                        format!("the progress token {token} comes back as {other}"),
                        vec![Excerpt::of_message(*at, message)],
                    );
                }
            }
            match tokens.iter().find(|token| s.reports_of(token).is_empty()) {
                None => Ok(()),
                Some(token) => unverified(format!("no progress came for the token {token}")),
            }
        })
    },
);

/// The same token as a number, or as a string.
fn other_type(token: &Value) -> Option<Value> {
    match token {
        Value::String(text) => text.parse::<i64>().ok().map(|number| json!(number)),
        Value::Number(number) => Some(json!(number.to_string())),
        _ => None,
    }
}

const FALSY_TOKEN: Case = Case::probe(
    Clause {
        id: "utilities/progress-falsy-token",
        title: "0 and the empty string are tokens",
        statement: "The tokens 0 and \"\" ask for progress like any other.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tools"), Gate::Met("progress-tool")],
        anchors: &[
            (V2024_11_05, "basic/utilities/progress#progress-flow"),
            (V2026_07_28, "basic/patterns/progress#progress-flow"),
        ],
        fault: "progress-falsy-token-ignored",
    },
    Advice {
        why: "Clients that count from 0 get no progress for their first request.",
        how: "Calls the progress tool with the tokens 0 and the empty string, where other tokens \
            get progress.",
        mend: "Ask whether there is a token (`is not None`, `!== undefined`), not whether it is \
            true.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let reported = s.held::<Reported>().await?;
            if s.reports_of(&reported.text).is_empty() {
                return unverified("no progress came for another token either");
            }
            for token in [json!(0), json!("")] {
                if !s.reports_of(&token).is_empty() {
                    continue;
                }
                if other_type(&token).is_some_and(|other| !s.reports_of(&other).is_empty()) {
                    return unverified(format!(
                        "the token {token} comes back as a string, see utilities/progress-token-type"
                    ));
                }
                if !reported.served.contains(&token) {
                    return unverified(format!("the call with the token {token} was not served"));
                }
                return violated(format!(
                    "no progress comes for the token {token}, for other tokens it does"
                ));
            }
            Ok(())
        })
    },
);

const ONLY_ON_REQUEST: Case = Case::probe(
    Clause {
        id: "utilities/progress-only-on-request",
        title: "No progress without a token",
        statement: "A request that gives no token gets no progress notifications.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tools"), Gate::Met("progress-tool")],
        anchors: &[
            (
                V2024_11_05,
                "basic/utilities/progress#behavior-requirements",
            ),
            (V2026_07_28, "basic/patterns/progress#behavior-requirements"),
        ],
        fault: "progress-without-token",
    },
    Advice {
        why: "Notifications that nobody asked for, with a null for a token, are an error in many \
            clients.",
        how: "Calls a tool that reports progress without a token; no progress notification may \
            come until the session is over.",
        mend: "Report only if the request has a `progressToken`.",
    },
    Stage::Together("slow"),
    |s| {
        Box::pin(async {
            s.leave_floor();
            let slow = s.scene::<Slow>().await?;
            // The rule looks at what came.
            slow.tokenless.clone()
        })
    },
)
.with_rule(Rule {
    subject: |event, past| claims(event, past, &Claim::Unrequested),
    holds: |event, past| match report(event) {
        Some((message, params)) => broken_by(
            format!("{} comes for a request that gave none", shown(params)),
            message,
            past,
        ),
        None => Ok(()),
    },
    unseen: "no progress notification came for a request without a token",
});
