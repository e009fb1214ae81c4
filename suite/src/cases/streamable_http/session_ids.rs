//! The id of a session: when it is given, and what it looks like.

use futures_util::future::join_all;

use super::{
    client::*,
    prelude::*,
    weakness::{Look, look},
};

pub(super) const CASES: &[Case] = &[
    INITIALIZE_WITHOUT_SESSION,
    SESSION_ID_VISIBLE_ASCII,
    SESSION_ID_UNIQUE,
    SESSION_ID_UNPREDICTABLE,
    SESSION_ID_STABLE,
];

/// What does not depend on the revision is looked at once.
const STAGE: Stage = Stage::Once("session-ids");
/// So many sessions are opened one after the other …
const IN_TURN: usize = 8;
/// … and so many side by side.
const SIDE_BY_SIDE: usize = 3;

/// Sessions that were opened and not used.
struct Openings {
    in_turn: Vec<Turn>,
    side_by_side: Vec<Turn>,
}

impl Conversation for Openings {
    async fn hold(s: &Talk) -> Result<Openings, Stop> {
        let open = async || {
            let talk = s.another()?;
            Ok::<_, Stop>(talk.turn(talk.post(&initialize(&talk))?).await)
        };
        let mut in_turn = Vec::new();
        for _ in 0..IN_TURN {
            in_turn.push(open().await?);
        }
        let side_by_side = join_all((0..SIDE_BY_SIDE).map(|_| open())).await;
        Ok(Openings {
            in_turn,
            side_by_side: side_by_side.into_iter().collect::<Result<_, _>>()?,
        })
    }
}

impl Openings {
    /// The ids that were given, in the order of the requests; the turns that gave them.
    fn ids<'a>(turns: impl Iterator<Item = &'a Turn>) -> Vec<(String, &'a Turn)> {
        // What is minted for a refusal is no assignment.
        let given = turns.filter(|turn| turn.is_served());
        given
            .filter_map(|turn| Some((turn.header(SESSION)?, turn)))
            .collect()
    }

    /// Two turns that gave the same id.
    fn twins(&self) -> Option<(String, [&Turn; 2])> {
        let mut known: Vec<(String, &Turn)> = Vec::new();
        for (id, turn) in Openings::ids(self.in_turn.iter().chain(&self.side_by_side)) {
            if let Some((_, twin)) = known.iter().find(|(other, _)| *other == id) {
                return Some((id, [twin, turn]));
            }
            known.push((id, turn));
        }
        None
    }
}

const SESSION: &str = "mcp-session-id";

const INITIALIZE_WITHOUT_SESSION: Case = Case::probe(
    Clause {
        id: "streamable-http/initialize-without-session",
        title: "initialize needs no session id",
        statement: "A session id is assigned at initialization, so the initialize request is accepted \
            without one.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-initialize-needs-session",
    },
    Advice {
        why: "No client has an id before the server has given one; a server that asks for it \
            first can be used by nobody.",
        how: "Posts `initialize` without the session header and without the version header.",
        mend: "Look for the session and version headers in requests other than `initialize` \
            alone.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let openings = held::<Openings>(s).await?;
            let Some(turn) = openings.in_turn.first() else {
                return unverified("no session was opened");
            };
            show(s, [turn]);
            turn.control("`initialize`")
        })
    },
);

const SESSION_ID_VISIBLE_ASCII: Case = Case::probe(
    Clause {
        id: "streamable-http/session-id-visible-ascii",
        title: "a session id has visible ASCII characters only",
        statement: "A session id that the server assigns has only characters from 0x21 to 0x7E.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("session")],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-session-id-space",
    },
    Advice {
        why: "The id goes back in a header of each request; proxies and HTTP libraries drop, cut \
            or refuse other characters.",
        how: "Reads the bytes of the session header of every answer to `initialize`, white space \
            at its ends left out.",
        mend: "Give a UUID, or random bytes as hexadecimal or base64url text.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            keeps_sessions(s)?;
            let openings = held::<Openings>(s).await?;
            let heads = openings.in_turn.iter().filter_map(Turn::exchange);
            let of_session = |(name, _): &&(String, Vec<u8>)| name == SESSION;
            let most = heads.map(|head| head.headers.iter().filter(of_session).count()).max();
            if most > Some(1) {
                s.remark("an answer has more than one session header; HTTP joins them by a comma");
            }
            Ok(())
        })
    },
)
.with_rule(Rule {
    subject: |event, _| assigned(event).is_some(),
    holds: |event, past| {
        let Some((exchange, id)) = assigned(event) else {
            return Ok(());
        };
        let shown = vec![Excerpt::of_exchange(past.now, exchange)];
        match id.iter().find(|byte| !byte.is_ascii_graphic()) {
            Some(byte) => violated_by(
                format!("the session id holds the byte 0x{byte:02X}, which is no visible ASCII character"),
                shown,
            ),
            None if id.is_empty() => violated_by("the session id is empty", shown),
            None => Ok(()),
        }
    },
    unseen: "no answer to `initialize` has a session id",
});

/// The session id that an answer to `initialize` gives.
fn assigned<'a>(event: &Event<'a>) -> Option<(&'a Rc<Exchange>, &'a [u8])> {
    let Event::Opened(exchange) = event else {
        return None;
    };
    let is_first = exchange.request()?.method.as_deref() == Some("initialize");
    let (_, id) = exchange.headers.iter().find(|(name, _)| name == SESSION)?;
    let is_given = is_first && (200..300).contains(&exchange.status);
    is_given.then_some((exchange, id.trim_ascii()))
}

const SESSION_ID_UNIQUE: Case = Case::probe(
    Clause {
        id: "streamable-http/session-id-unique",
        title: "each session gets an id of its own",
        statement: "Session ids are globally unique; two initializations never get the same one.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("session")],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-session-id-constant",
    },
    Advice {
        why: "Two clients with one id share a session: each gets what the other is answered, and \
            ends it for both.",
        how: "Opens sessions one after the other and side by side, and compares their ids.",
        mend: "Make a new random id, such as a UUID of version 4, for each `initialize`.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            keeps_sessions(s)?;
            let openings = held::<Openings>(s).await?;
            if let Some((id, turns)) = openings.twins() {
                show(s, turns);
                return violated(format!("two sessions have the id `{}`", escaped(id)));
            }
            let all = openings.in_turn.iter().chain(&openings.side_by_side);
            match Openings::ids(all).len() {
                0 | 1 => unverified("fewer than two sessions were opened"),
                _ => Ok(()),
            }
        })
    },
);

const SESSION_ID_UNPREDICTABLE: Case = Case::probe(
    Clause {
        id: "streamable-http/session-id-unpredictable",
        title: "a session id cannot be guessed",
        statement: "Session ids come from a cryptographically secure source.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("session")],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-session-id-sequential",
    },
    Advice {
        why: "Whoever can guess the id of a session can speak in it and end it.",
        how: "Opens eight sessions one after the other and looks for counters, time stamps, \
            short ids and UUIDs that are made from a clock. A pass says that no weakness was \
            seen.",
        mend: "Take the id from a cryptographically secure source, such as `crypto.randomUUID()` \
            or `secrets.token_hex(16)`.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            keeps_sessions(s)?;
            let openings = held::<Openings>(s).await?;
            if openings.twins().is_some() {
                return unverified(
                    "two sessions have the same id, see streamable-http/session-id-unique",
                );
            }
            let given = Openings::ids(openings.in_turn.iter());
            if given.len() < IN_TURN {
                return unverified(format!("fewer than {IN_TURN} sessions were opened"));
            }
            let ids: Vec<String> = given.iter().map(|(id, _)| id.clone()).collect();
            match look(&ids) {
                Look::Weak(how) => {
                    show(s, given.iter().take(3).map(|(_, turn)| *turn));
                    violated(format!("session ids can be guessed: {how}"))
                }
                Look::Fair(None) => Ok(()),
                Look::Fair(Some(remark)) => {
                    s.remark(remark);
                    Ok(())
                }
            }
        })
    },
);

const SESSION_ID_STABLE: Case = Case::probe(
    Clause {
        id: "streamable-http/session-id-stable",
        title: "later answers do not change the session id",
        statement: "The session id is assigned with the initialize result; later answers repeat it or \
            leave it out.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("session")],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-session-id-rotates",
    },
    Advice {
        why: "Clients keep the id that came with the result of `initialize`; one that changes on \
            the way makes them speak in a session that is not theirs.",
        how: "Compares the session header of every later success with the id that was assigned.",
        mend: "Give the id with the result of `initialize`, and afterwards the same one or none.",
    },
    STAGE,
    |s| Box::pin(async { keeps_sessions(s) }),
)
.with_rule(Rule {
    subject: |event, past| later_success(event, past).is_some(),
    holds: |event, past| {
        let Some((exchange, assigned)) = later_success(event, past) else {
            return Ok(());
        };
        match exchange.header(SESSION) {
            Some(other) if other.trim() != assigned => violated_by(
                format!(
                    "an answer gives the session id `{}` in a session with the id `{}`",
                    escaped(&other),
                    escaped(assigned)
                ),
                vec![Excerpt::of_exchange(past.now, exchange)],
            ),
            _ => Ok(()),
        }
    },
    unseen: "no answer came in a session with an id",
});

/// A success in answer to a request with the session id that was assigned, and that id.
fn later_success<'a>(event: &Event<'a>, past: &'a Past) -> Option<(&'a Rc<Exchange>, &'a str)> {
    let Event::Opened(exchange) = event else {
        return None;
    };
    let assigned = past.session_id.as_deref()?;
    // Whoever asks for a session anew may get one.
    let opens = exchange
        .request()
        .is_some_and(|request| request.method.as_deref() == Some("initialize"));
    let is_later = !opens && exchange.sent_header(SESSION) == Some(assigned);
    let is_success = (200..300).contains(&exchange.status);
    (is_later && is_success).then_some((exchange, assigned))
}
