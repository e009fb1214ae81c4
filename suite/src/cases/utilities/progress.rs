//! Progress notifications: what is in them, when they come, and what tokens do to requests.

use std::cmp::Ordering;

use super::{
    prelude::*,
    settled::{ignored, pings_are_answered, settled},
};
use crate::tape::{Report, comes_late, compared};

pub(super) const CASES: &[Case] = &[
    INCREASES,
    VALUE_NUMBER,
    TOTAL_NUMBER,
    MESSAGE_STRING,
    MESSAGE_RELEVANT,
    STOPS,
    TOKEN_HARMLESS,
    BAD_TOKEN_HARMLESS,
    STRAY_HARMLESS,
    RATE,
];

/// The progress notification of the server that the event is, and its `params`.
pub(super) fn report<'a>(event: &Event<'a>) -> Option<(&'a Message, &'a Value)> {
    let message = call(event).filter(|message| {
        message.kind() == Kind::Notification
            && message.method.as_deref() == Some("notifications/progress")
    })?;
    Some((
        message,
        message.params().filter(|params| params.is_object())?,
    ))
}

/// The same with what its token has come to before.
fn known<'a, 'p>(
    event: &Event<'a>,
    past: &'p Past,
) -> Option<(&'a Message, &'a Value, &'p Report)> {
    let (message, params) = report(event)?;
    let token = Id::of(params.get("progressToken")?);
    Some((message, params, past.reports.get(&token)?))
}

/// Calls of the progress tool, each with a token of another kind.
pub(super) struct Reported {
    pub(super) text: Value,
    pub(super) digits: Value,
    pub(super) number: Value,
    /// The tokens of those that were served: a tool may allow one call at a time.
    pub(super) served: Vec<Value>,
}

impl Conversation for Reported {
    async fn hold(s: &Talk) -> Result<Reported, Stop> {
        let tool = s.progress_tool().await?;
        let mut reported = Reported {
            text: json!(s.session.fresh_id("t")),
            digits: json!("7"),
            number: json!(8),
            served: Vec::new(),
        };
        let tokens = [
            reported.text.clone(),
            reported.digits.clone(),
            reported.number.clone(),
            json!(0),
            json!(""),
        ];
        let mut begun = Vec::new();
        for token in &tokens {
            let id = s.fresh_id();
            let request = json!({
                "jsonrpc": "2.0",
                "id": id,
                "method": "tools/call",
                "params": tool.params_with_token(token),
            });
            let text = request.to_string();
            begun.push(s.begin(text.as_bytes(), Some(Id::Text(id))).await?);
        }
        let mut results = false;
        for (token, waiting) in tokens.into_iter().zip(begun) {
            let reply = s.finish(waiting, Patience::Limit).await?;
            results |= reply.is_result();
            if reply
                .result()
                .is_some_and(|result| result["isError"] != true)
            {
                reported.served.push(token);
            }
        }
        if !results {
            return unverified("no call of the progress tool was served");
        }
        Ok(reported)
    }
}

/// Has the progress tool report, for the rule that judges it.
async fn provoke(s: &Talk) -> Result<(), Stop> {
    let reported = s.held::<Reported>().await?;
    if s.reports_of(&reported.text).is_empty() {
        return unverified("the progress tool reported nothing");
    }
    Ok(())
}

const INCREASES: Case = Case::probe(
    Clause {
        id: "utilities/progress-increases",
        title: "progress increases with each notification",
        statement: "For each token every notification has a greater progress value than the one \
            before.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/utilities/progress#progress-flow"),
            (V2026_07_28, "basic/patterns/progress#progress-flow"),
        ],
        fault: "progress-not-increasing",
    },
    Advice {
        why: "A bar that stands still or jumps back looks like a fault of the client.",
        how: "Calls the progress tool several times, and compares each value with the one before \
            it for the same token on the same stream. A value that goes down counts once it \
            has happened for a second token, since notifications that are sent side by side \
            may overtake each other; one that repeats counts at once.",
        mend: "Count up, and send nothing when there is nothing new.",
    },
    Stage::Shared,
    |s| Box::pin(provoke(s)),
)
.with_rule(Rule {
    subject: |event, past| step(event, past).is_some(),
    holds: |event, past| {
        let Some((message, value, before, report)) = step(event, past) else {
            return Ok(());
        };
        let falls = past.reports.fallen > usize::from(report.fell);
        let text = match compared(value, before) {
            Some(Ordering::Equal) => format!("progress stays at {value}"),
            Some(Ordering::Less) if falls => format!("progress goes down from {before} to {value}"),
            _ => return Ok(()),
        };
        broken_by(text, message, past)
    },
    unseen: "no token has got two progress notifications on one stream",
});

/// A progress value and the one before it on the same stream, and what is known of the token.
fn step<'a, 'p>(
    event: &Event<'a>,
    past: &'p Past,
) -> Option<(&'a Message, &'a Value, &'p Value, &'p Report)> {
    let (message, params, report) = known(event, past)?;
    let value = params.get("progress").filter(|value| value.is_number())?;
    Some((message, value, report.before(message)?, report))
}

const VALUE_NUMBER: Case = Case::probe(
    Clause {
        id: "utilities/progress-value-number",
        title: "progress is a number",
        statement: "`progress` is present and a number; fractions are allowed.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/utilities/progress#progress-flow"),
            (V2026_07_28, "basic/patterns/progress#progress-flow"),
        ],
        fault: "progress-value-string",
    },
    Advice {
        why: "Clients compute with it; a text or nothing breaks their decoders.",
        how: "Calls the progress tool, and looks at `progress` in all progress notifications of \
            the run.",
        mend: "Send a JSON number, without quotes and without a percent sign.",
    },
    Stage::Shared,
    |s| Box::pin(provoke(s)),
)
.with_rule(Rule {
    subject: |event, _| report(event).is_some(),
    holds: |event, past| match report(event) {
        Some((message, params)) => is_kind(
            message,
            params,
            "progress",
            "a number",
            Value::is_number,
            past,
        ),
        None => Ok(()),
    },
    unseen: NOTHING_REPORTED,
});

const NOTHING_REPORTED: &str = "the server sent no progress notification";

/// That a member is what it has to be.
fn is_kind(
    message: &Message,
    params: &Value,
    member: &str,
    kind: &str,
    is: fn(&Value) -> bool,
    past: &Past,
) -> Result<(), Stop> {
    match params.get(member) {
        Some(value) if is(value) => Ok(()),
        Some(value) => broken_by(
            format!("`{member}` is {value} instead of {kind}"),
            message,
            past,
        ),
        None => broken_by(format!("`{member}` is missing"), message, past),
    }
}

const TOTAL_NUMBER: Case = Case::probe(
    Clause {
        id: "utilities/progress-total-number",
        title: "total is a number where present",
        statement: "`total` is absent or a number.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/utilities/progress#progress-flow"),
            (V2026_07_28, "basic/patterns/progress#progress-flow"),
        ],
        fault: "progress-total-null",
    },
    Advice {
        why: "Clients with strict types drop the whole notification.",
        how: "Calls the progress tool, and looks at `total` in all progress notifications of the \
            run.",
        mend: "Leave `total` out if you do not know it; null is not allowed.",
    },
    Stage::Shared,
    |s| Box::pin(provoke(s)),
)
.with_rule(Rule {
    subject: |event, _| report(event).is_some(),
    holds: |event, past| match report(event) {
        Some((message, params)) if params.get("total").is_some() => {
            is_kind(message, params, "total", "a number", Value::is_number, past)
        }
        _ => Ok(()),
    },
    unseen: NOTHING_REPORTED,
});

const MESSAGE_STRING: Case = Case::probe(
    Clause {
        id: "utilities/progress-message-string",
        title: "message is a string where present",
        statement: "`message` is absent or a string.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2025_03_26, "basic/utilities/progress#progress-flow"),
            (V2026_07_28, "basic/patterns/progress#progress-flow"),
        ],
        fault: "progress-message-null",
    },
    Advice {
        why: "Clients with strict types drop the whole notification.",
        how: "Calls the progress tool, and looks at `message` in all progress notifications of \
            the run.",
        mend: "Leave `message` out if there is nothing to say; null is not allowed.",
    },
    Stage::Shared,
    |s| Box::pin(provoke(s)),
)
.with_rule(Rule {
    subject: |event, _| report(event).is_some(),
    holds: |event, past| match report(event) {
        Some((message, params)) if params.get("message").is_some() => is_kind(
            message,
            params,
            "message",
            "a string",
            Value::is_string,
            past,
        ),
        _ => Ok(()),
    },
    unseen: NOTHING_REPORTED,
});

const MESSAGE_RELEVANT: Case = Case::probe(
    Clause {
        id: "utilities/progress-message-relevant",
        title: "message says something",
        statement: "A progress message gives relevant human-readable information.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2025_03_26, "basic/utilities/progress#progress-flow"),
            (V2026_07_28, "basic/patterns/progress#progress-flow"),
        ],
        fault: "progress-message-blank",
    },
    Advice {
        why: "The user looks at an empty line where the step should stand.",
        how: "Calls the progress tool, and looks for a visible character in each `message`.",
        mend: "Say in a few words what is being done, or leave `message` out.",
    },
    Stage::Shared,
    |s| Box::pin(provoke(s)),
)
.with_rule(Rule {
    subject: |event, _| told(event).is_some(),
    holds: |event, past| match told(event) {
        Some((message, text)) if text.chars().all(|c| c.is_whitespace() || c.is_control()) => {
            broken_by("`message` has no visible text", message, past)
        }
        _ => Ok(()),
    },
    unseen: "no progress notification had a `message`",
});

/// A progress notification with a message.
fn told<'a>(event: &Event<'a>) -> Option<(&'a Message, &'a str)> {
    let (message, params) = report(event)?;
    Some((message, params.get("message")?.as_str()?))
}

const STOPS: Case = Case::probe(
    Clause {
        id: "utilities/progress-stops",
        title: "Progress stops with the response",
        statement: "After the response to a request no progress notification for its token follows.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/utilities/progress#implementation-notes"), (V2026_07_28, "basic/patterns/progress#implementation-notes")],
        fault: "progress-after-response",
    },
    Advice {
        why: "The client has put the request away; what still comes opens a bar that never ends.",
        how: "Calls the progress tool several times, and looks for progress behind a response, \
            on the same stream. One call may have its last notification overtaken by the \
            response; two may not.",
        mend: "Send the last notification, and wait until it has been sent, before you return the \
            result.",
    },
    Stage::Shared,
    |s| Box::pin(provoke(s)),
)
.with_rule(Rule {
    // A response to what was reported on, or what comes behind it.
    subject: |event, past| late(event, past).is_some() || ends_reports(event, past),
    holds: |event, past| match late(event, past) {
        Some((message, params, report)) if past.reports.late > usize::from(report.came_late) => {
            let token = &params["progressToken"];
            broken_by(
                format!("progress for the token {token} comes after the response to its request"),
                message,
                past,
            )
        }
        _ => Ok(()),
    },
    unseen: "nothing was reported about a request that was answered",
});

fn late<'a, 'p>(event: &Event<'a>, past: &'p Past) -> Option<(&'a Message, &'a Value, &'p Report)> {
    let found = known(event, past)?;
    comes_late(found.0, found.2, &past.client).then_some(found)
}

/// Whether the event answers a request about which something was reported.
fn ends_reports(event: &Event<'_>, past: &Past) -> bool {
    let token = response(event)
        .and_then(|message| past.client.asked(message))
        .and_then(|asked| asked.progress_token.as_ref());
    token
        .and_then(|token| past.reports.get(token))
        .is_some_and(|report| report.count > 0)
}

const TOKEN_HARMLESS: Case = Case::probe(
    Clause {
        id: "utilities/progress-token-harmless",
        title: "A token does not change the answer",
        statement: "A request with a progress token is answered like one without, whether or not \
            progress is sent.",
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
        fault: "progress-token-breaks-request",
    },
    Advice {
        why: "Several clients put a token into every request; such a server fails with all of \
            them.",
        how: "Sends `ping` and a list request with and without a progress token, and compares \
            the kinds of the answers.",
        mend: "Accept `_meta` in the params of every request.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let lists = [
                ("tools", "tools/list"),
                ("resources", "resources/list"),
                ("prompts", "prompts/list"),
            ];
            let list = lists
                .iter()
                .find(|(capability, _)| s.session.declares(capability));
            // The control has params too: that they alone are refused is another clause.
            let controls = [("ping", json!({ "_meta": {} }))]
                .into_iter()
                .chain(list.map(|(_, method)| (*method, Value::Null)));
            let mut compared = false;
            for (method, params) in controls {
                let plain = s.ask(method, params).await?;
                if !plain.is_result() {
                    continue;
                }
                compared = true;
                let token = s.session.fresh_id("token");
                let params = json!({ "_meta": { "progressToken": token } });
                let reply = s.ask(method, params).await?;
                if !reply.is_result() {
                    return violated(format!(
                        "`{method}` with a progress token {reply}, without one it is served"
                    ));
                }
            }
            if compared {
                return Ok(());
            }
            unverified("nothing was served without a progress token either")
        })
    },
);

const BAD_TOKEN_HARMLESS: Case = Case::probe(
    Clause {
        id: "utilities/progress-bad-token-harmless",
        title: "A token of a wrong type does no harm",
        statement: "A progressToken that is neither string nor integer is refused or ignored, and the \
            server goes on.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/utilities/progress#progress-flow"),
            (V2026_07_28, "basic/patterns/progress#progress-flow"),
        ],
        fault: "bad-progress-token-fatal",
    },
    Advice {
        why: "One careless request must not cost all others their server.",
        how: "Sends pings with an object, a fraction, null and true for a progress token: \
            whatever becomes of them, the next ping has to be answered.",
        mend: "Refuse such a request with -32602, or serve it as if it had no token.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            pings_are_answered(s).await?;
            let tokens = [json!({ "a": 1 }), json!(1.5), Value::Null, json!(true)];
            let mut begun = Vec::new();
            for (at, token) in tokens.iter().enumerate() {
                // Few at a time: how many lines a server can take at once is another matter.
                if at == 2 {
                    settled(s, "requests with unfit progress tokens").await?;
                }
                let id = s.fresh_id();
                let params = json!({ "_meta": { "progressToken": token } });
                let request =
                    json!({ "jsonrpc": "2.0", "id": id, "method": "ping", "params": params });
                let text = request.to_string();
                begun.push(s.begin(text.as_bytes(), Some(Id::Text(id))).await?);
            }
            settled(s, "requests with unfit progress tokens").await?;
            // What came of them stands in the record; any of it is fine.
            for waiting in &mut begun {
                s.came(waiting);
            }
            let changed = |params: &Value| {
                let token = params.get("progressToken").unwrap_or(&Value::Null);
                !tokens.contains(token)
            };
            let heard = s.heard("notifications/progress");
            match heard.iter().find(|(_, params)| changed(params)) {
                None => Ok(()),
                Some((_, params)) => violated(format!(
                    "an unfit progress token comes back as {}",
                    params["progressToken"]
                )),
            }
        })
    },
);

const STRAY_HARMLESS: Case = Case::probe(
    Clause {
        id: "utilities/stray-progress-harmless",
        title: "Progress for an unknown token does no harm",
        statement: "A notifications/progress of the client with a token that the server never gave is \
            ignored.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(
            V2024_11_05,
            "basic/utilities/progress#behavior-requirements",
        )],
        fault: "stray-progress-fatal",
    },
    Advice {
        why: "Progress and answers cross on the wire, so a server gets such notifications from \
            honest clients too.",
        how: "Sends a progress notification with a token that the server never gave, and one \
            without params; then pings.",
        mend: "Ignore progress for tokens that you do not know.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            pings_are_answered(s).await?;
            let stray = json!({
                "jsonrpc": "2.0",
                "method": "notifications/progress",
                "params": { "progressToken": "nobody", "progress": 1 },
            });
            let bare = json!({ "jsonrpc": "2.0", "method": "notifications/progress" });
            for message in [stray, bare] {
                match s.tell(&message).await {
                    // That it can no longer be written shows in the ping that follows.
                    Err(Stop::Broke(_)) => {}
                    told => ignored(s, "a stray progress notification", told?).await?,
                }
            }
            settled(s, "a stray progress notification").await?;
            match s.strays_of_turn().first() {
                None => Ok(()),
                Some(stray) => violated_by(
                    "a stray progress notification is answered",
                    vec![Excerpt::of_message(stray.at, &stray.message)],
                ),
            }
        })
    },
);

const RATE: Case = Case::probe(
    Clause {
        id: "utilities/progress-rate",
        title: "Progress is rate limited",
        statement: "The server does not flood the client with progress notifications.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/utilities/progress#implementation-notes"), (V2026_07_28, "basic/patterns/progress#implementation-notes")],
        fault: "progress-flood",
    },
    Advice {
        why: "Thousands of notifications a second keep the client busy with a bar that nobody \
            can follow, and hold up the answer.",
        how: "Calls the progress tool several times: more than a hundred notifications in one \
            second for one token, and again for a second token, are a flood.",
        mend: "Report a few times a second at most, whatever the number of steps.",
    },
    Stage::Shared,
    |s| Box::pin(provoke(s)),
)
.with_rule(Rule {
    subject: |event, past| past.tells_times() && known(event, past).is_some(),
    holds: |event, past| match known(event, past) {
        // Output that was held back comes in a burst, hence the second token.
        Some((message, params, report))
            if report.floods(past.now) && past.reports.floods > usize::from(report.flooded) =>
        {
            let token = &params["progressToken"];
            broken_by(
                format!("more than 100 progress notifications come for the token {token} within a second"),
                message,
                past,
            )
        }
        _ => Ok(()),
    },
    unseen: "no progress came, for a token of the client's, whose time is known",
});
