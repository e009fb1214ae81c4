//! Ids that any server takes, and whether they come back as they were.

use super::{
    super::prelude::*,
    judged_response,
    triage::{Defect, free_of, is_comparable},
};

pub(super) const CASES: &[Case] = &[
    ID_ECHO,
    ID_TYPE_ECHO,
    ID_STRING,
    ID_NUMERIC_STRING,
    ID_ZERO,
    ID_EMPTY_STRING,
    ID_NEGATIVE,
    ID_LARGE,
];

const NO_RESPONSE: &str = "no response to a well-formed request was received";

/// H under the numbers 1 to 5, one after the other; the first silence ends it.
pub(super) struct Numbers(Result<Vec<Reply>, Stop>);

impl Numbers {
    /// Whether any of them was answered with a result.
    pub(super) fn are_served(&self) -> bool {
        let replies = self.0.as_ref().ok().into_iter().flatten();
        replies.into_iter().any(Reply::is_result)
    }
}

impl Scene for Numbers {
    async fn play(s: &Talk) -> Result<Numbers, Stop> {
        // Kept even if it fails: played again it would use its ids twice.
        Ok(Numbers(numbers(s).await))
    }
}

async fn numbers(s: &Talk) -> Result<Vec<Reply>, Stop> {
    let mut replies = Vec::new();
    for id in 1..=5 {
        let reply = s.ask_as(json!(id), "ping", Value::Null).await?;
        let silent = reply.is_silence();
        replies.push(reply);
        if silent {
            break;
        }
    }
    Ok(replies)
}

/// H under a string id that is like no other.
struct Word(Result<Reply, Stop>);

impl Scene for Word {
    async fn play(s: &Talk) -> Result<Word, Stop> {
        let id = json!(format!("conform-{}", s.nonce()));
        Ok(Word(s.ask_as(id, "ping", Value::Null).await))
    }
}

/// The control: H is served under an ordinary id of the same type.
pub(super) async fn control(s: &Talk, id: &Value) -> Result<(), Stop> {
    if id.is_string() {
        return match s.scene::<Word>().await?.0.clone()?.is_result() {
            true => Ok(()),
            false => unverified("string ids are not accepted, see jsonrpc/id-string"),
        };
    }
    let numbers = s.scene::<Numbers>().await?.0.clone()?;
    match numbers.first().is_some_and(Reply::is_result) {
        true => Ok(()),
        false => unverified("a ping with the id 1 is not served either"),
    }
}

/// Whether the event is a response whose id says something.
fn is_judged(event: &Event<'_>, past: &Past) -> bool {
    let message = judged_response(event).filter(|_| !past.malformed);
    message.is_some_and(|message| is_comparable(message, past))
}

/// H under this id is served under exactly it, where the control is.
async fn served(s: &Talk, id: Value) -> Result<(), Stop> {
    let reply = s.ask_as(id.clone(), "ping", Value::Null).await?;
    if reply.is_result() {
        return Ok(());
    }
    refused(s, &id, &id.to_string(), reply).await
}

/// What it means that H is not served under an id, called `name`.
pub(super) async fn refused(s: &Talk, id: &Value, name: &str, reply: Reply) -> Result<(), Stop> {
    reply.uncut()?;
    control(s, id).await?;
    let strays = s.strays_of_turn();
    let other = strays.iter().find_map(|stray| match &stray.message.id {
        None | Some(Id::Null) => None,
        other => other.as_ref(),
    });
    match other {
        Some(other) if reply.is_silence() => differs(
            format!("a ping with the id {name} is answered under another id"),
            id.to_string(),
            other.to_string(),
        ),
        _ => violated(format!(
            "a ping with the id {name} {reply}, one with a plain id is served"
        )),
    }
}

const ID_ECHO: Case = Case::probe(
    Clause {
        id: "jsonrpc/id-echo",
        title: "A response carries the id of its request",
        statement: "The id of a response is the id of a request that the client sent in that session.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/messages#responses"), (V2025_03_26, "basic/index#responses")],
        fault: "response-id-wrong",
    },
    Advice {
        why: "The id is all that a client has to find the request that a response belongs to.",
        how: "Pings with the ids 1 to 5 and with five random strings; besides, every response of \
            the run is matched to the requests of its session.",
        mend: "Copy the id of the request into the response as it is, and keep it per request \
            rather than in a variable that requests share.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let mut replies = s.scene::<Numbers>().await?.0.clone()?;
            for number in 1..=5 {
                let id = json!(format!("echo-{}-{number}", s.nonce()));
                replies.push(s.ask_as(id, "ping", Value::Null).await?);
            }
            match replies.iter().find(|reply| !matches!(reply, Reply::Answer(_))) {
                None => Ok(()),
                // An answer under another id is the rule's; silence is another clause's.
                Some(reply) => unverified(format!("a ping {reply}, see jsonrpc/request-answered")),
            }
        })
    },
)
.with_rule(Rule {
    subject: is_judged,
    holds: |event, past| {
        free_of(Defect::IdUnknown, event, past)?;
        free_of(Defect::IdMissing, event, past)
    },
    unseen: NO_RESPONSE,
});

const ID_TYPE_ECHO: Case = Case::probe(
    Clause {
        id: "jsonrpc/id-type-echo",
        title: "A numeric id comes back as a number",
        statement: "The id in a response has the JSON type of the id in the request: a number stays a \
            number and a string stays a string.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/messages#responses"), (V2025_03_26, "basic/index#responses")],
        fault: "id-stringified",
    },
    Advice {
        why: "Clients look up pending requests by value and type, so a number that comes back as \
            a string hangs the request.",
        how: "A ping with the id 7; besides, every response of the run is looked at.",
        mend: "Keep the id as the JSON value that it was, not as text.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            match s.ask_as(json!(7), "ping", Value::Null).await? {
                Reply::Answer(_) => Ok(()),
                reply => unverified(format!("a ping with the id 7 {reply}")),
            }
        })
    },
)
.with_rule(Rule {
    subject: is_judged,
    holds: |event, past| free_of(Defect::IdType, event, past),
    unseen: NO_RESPONSE,
});

const ID_STRING: Case = Case::probe(
    Clause {
        id: "jsonrpc/id-string",
        title: "String ids are accepted",
        statement: "A request whose id is a string is served and answered under that string.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#requests"),
            (V2025_03_26, "basic/index#requests"),
        ],
        fault: "rejects-string-id",
    },
    Advice {
        why: "Many clients number their requests with strings: UUIDs, or a prefix and a count.",
        how: "A ping with a random string for its id; the control is one with an integer.",
        mend: "Type the id as string or integer.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let reply = s.scene::<Word>().await?.0.clone()?;
            if reply.is_result() {
                return Ok(());
            }
            refused(s, &json!(1), "of a word and a random number", reply).await
        })
    },
);

const ID_NUMERIC_STRING: Case = Case::probe(
    Clause {
        id: "jsonrpc/id-numeric-string",
        title: "A string id that looks like a number stays a string",
        statement: "A string id is opaque text, even if it consists of digits.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
        ],
        fault: "numeric-string-id-parsed",
    },
    Advice {
        why: "A client that counts in strings waits for `\"7\"`, and 7 is another id.",
        how: "Pings with the ids `\"7\"`, `\"007\"`, `\"1e3\"` and `\"-0\"`.",
        mend: "Keep the id as the JSON value that it was; do not let a loosely typed language \
            turn it into a number.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            for id in ["7", "007", "1e3", "-0"] {
                served(s, json!(id)).await?;
            }
            Ok(())
        })
    },
);

const ID_ZERO: Case = Case::probe(
    Clause {
        id: "jsonrpc/id-zero",
        title: "The id 0 makes a request",
        statement: "0 is an integer id like any other; the message is a request and is answered.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#requests"),
            (V2025_03_26, "basic/index#requests"),
        ],
        fault: "id-zero-dropped",
    },
    Advice {
        why: "Many clients start to count at 0, and their `initialize` is then the first victim.",
        how: "A ping with the id 0; the control is one with the id 1.",
        mend: "Ask whether the member is there, not whether it is true: `if (message.id)` is the \
            usual mistake.",
    },
    Stage::Shared,
    |s| Box::pin(served(s, json!(0))),
);

const ID_EMPTY_STRING: Case = Case::probe(
    Clause {
        id: "jsonrpc/id-empty-string",
        title: "The empty string is an id",
        statement: "\"\" is a string id; the message is a request and is answered.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#requests"),
            (V2025_03_26, "basic/index#requests"),
        ],
        fault: "id-empty-dropped",
    },
    Advice {
        why: "It is a string like any other, and a server that drops it mistakes requests for \
            notifications.",
        how: "A ping with the id `\"\"`; the control is one with another string.",
        mend: "Ask whether the member is there, not whether it is true.",
    },
    Stage::Shared,
    |s| Box::pin(served(s, json!(""))),
);

const ID_NEGATIVE: Case = Case::probe(
    Clause {
        id: "jsonrpc/id-negative",
        title: "Negative ids are accepted",
        statement: "A negative integer is an integer id and is echoed with its sign.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#requests"),
            (V2025_03_26, "basic/index#requests"),
        ],
        fault: "negative-id-refused",
    },
    Advice {
        why: "Some clients keep negative ids for requests of their own layers.",
        how: "A ping with the id -7; the control is one with the id 1.",
        mend: "Type the id as a signed integer.",
    },
    Stage::Shared,
    |s| Box::pin(served(s, json!(-7))),
);

const ID_LARGE: Case = Case::probe(
    Clause {
        id: "jsonrpc/id-large",
        title: "Integer ids up to 2^53-1 are accepted",
        statement: "Integers that every JSON implementation can hold exactly are served as ids and \
            echoed exactly.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#requests"),
            (V2025_03_26, "basic/index#requests"),
        ],
        fault: "id-int32",
    },
    Advice {
        why: "Ids made from the time in milliseconds are far beyond 32 bits.",
        how: "Pings with the ids 2147483648, 4294967296, 1700000000000 and 9007199254740991; the \
            control is one with the id 1.",
        mend: "Type the id as a 64-bit integer.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            for id in [
                2_147_483_648_u64,
                4_294_967_296,
                1_700_000_000_000,
                (1 << 53) - 1,
            ] {
                served(s, json!(id)).await?;
            }
            Ok(())
        })
    },
);
