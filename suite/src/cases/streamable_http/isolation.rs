//! Several sessions at once, and what each of them sees.

use futures_util::future::join;

use super::{
    client::*,
    prelude::*,
    session::{Headers, STAGE as SESSION_HEADER},
};

pub(super) const CASES: &[Case] = &[
    SEVERAL_SESSIONS,
    SESSION_ISOLATION,
    SESSION_HEADER_NAME_CASE,
];

/// So often two sessions ask at the same moment.
const ROUNDS: usize = 10;

const SEVERAL_SESSIONS: Case = Case::probe(
    Clause {
        id: "streamable-http/several-sessions",
        title: "several sessions can exist at once",
        statement: "A second client can initialize while another is connected, and both are served.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/transports#streamable-http")],
        fault: "http-single-session",
    },
    Advice {
        why: "A server that is reached over HTTP has more than one client; where a second one is \
            refused, or ends the session of the first, one user at a time can work.",
        how: "Opens a second session while the first one is in use, then pings in both.",
        mend: "Make a transport object and a server object for each `initialize`, and keep them \
            by their session ids.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async move {
            if !s.serves().await?.is_result() {
                return unverified("a ping in the first session is not answered");
            }
            let second = s.another()?;
            let initialize = second.say_initialize(second.initialize_params()).await?;
            if let Reply::Refused(_) | Reply::Answer(_) = &initialize
                && !initialize.is_result()
            {
                // The first session shows that the request is one that the server answers.
                return violated(format!(
                    "`initialize` of a second client {initialize} while a first one is connected"
                ));
            }
            if !initialize.is_result() {
                return unverified(format!("`initialize` of a second client {initialize}"));
            }
            second.say_initialized().await?;
            for (which, client) in [("first", s), ("second", &second)] {
                let reply = client.serves().await?;
                if reply.is_refusal() {
                    return violated(format!(
                        "with two sessions open a ping in the {which} {reply}"
                    ));
                }
                if !reply.is_result() {
                    return unverified(format!("a ping in the {which} session {reply}"));
                }
            }
            Ok(())
        })
    },
);

/// What the ids that both sessions use begin with.
const TWIN: &str = "twin-";

/// Two sessions that ask at the same moment under the same ids, and a third that only listens.
struct Isolation {
    rounds: Vec<[Turn; 2]>,
    /// The method of L.
    list: &'static str,
    /// The streams of the two, and that of the third.
    streams: [Turn; 3],
    messages: [Vec<Message>; 3],
    /// Why what was lost tells nothing, if it does not.
    blamed: Option<Stop>,
    /// A ping behind it all.
    control: Turn,
}

impl Conversation for Isolation {
    async fn hold(s: &Talk) -> Result<Isolation, Stop> {
        let (first, second) = join(Client::open(s), Client::open(s)).await;
        let (first, second, idle) = (first?, second?, Client::open(s).await?);
        let Some(list) = second.list_method() else {
            return unverified("the server offers no list to ask for");
        };
        let streams = [
            first.listen().await?,
            second.listen().await?,
            idle.listen().await?,
        ];
        let mut rounds = Vec::new();
        let mut blamed = None;
        for round in 0..ROUNDS {
            let id = format!("{TWIN}{round}");
            let ping = first.request_as(&id, "ping", Value::Null)?;
            let ask = second.request_as(&id, list, Value::Null)?;
            // Each is sent first in every other round.
            let (one, other) = match round % 2 {
                0 => join(first.talk.turn(ping), second.talk.turn(ask)).await,
                _ => {
                    let both = join(second.talk.turn(ask), first.talk.turn(ping)).await;
                    (both.1, both.0)
                }
            };
            let is_lost = one.is_lost() || other.is_lost();
            rounds.push([one, other]);
            if is_lost {
                for turn in rounds.iter().flatten().filter(|turn| !turn.is_served()) {
                    blamed = blamed.or(second.talk.blame_stream(&turn.posting).await.err());
                }
                break;
            }
        }
        let mut control = first.ping().await?;
        for _ in 0..2 {
            if control.is_served() {
                control = second.ping().await?;
            }
        }
        let messages = streams.each_ref().map(|stream| stream.posting.messages());
        for stream in &streams {
            stream.posting.disconnect();
        }
        Ok(Isolation {
            rounds,
            list,
            blamed,
            streams,
            messages,
            control,
        })
    }
}

impl Isolation {
    /// Whether a result is one of L.
    fn is_list(&self, turn: &Turn) -> bool {
        let member = self.list.split('/').next().unwrap_or_default();
        turn.result()
            .is_some_and(|result| result[member].is_array())
    }

    /// Whether a response on the stream of one of the two answers what only the other has asked.
    fn is_of_other(&self, message: &Message, at: usize) -> bool {
        let Some(Id::Text(id)) = &message.id else {
            return false;
        };
        let Some(members) = message.result().and_then(Value::as_object) else {
            return false;
        };
        let is_empty = members.keys().all(|key| key == "_meta");
        id.starts_with(TWIN) && (at == 0) != is_empty
    }
}

const SESSION_ISOLATION: Case = Case::probe(
    Clause {
        id: "streamable-http/session-isolation",
        title: "requests of two sessions with the same id are kept apart",
        statement: "What one session asks is never answered to another, even when both use the same \
            JSON-RPC id at the same time.",
        level: Level::MustNot,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-sessions-share-ids",
    },
    Advice {
        why: "Clients choose their request ids by themselves and count from one; a server that \
            keeps requests of all sessions in one table gives one client what another asked \
            for.",
        how: "Two sessions post a ping and a list request under the same id at the same moment, \
            several times, with their GET streams and that of a third session open; each post \
            has to get the result of its kind, and no stream what belongs to another session.",
        mend: "Keep pending requests by session, with a server object for each.",
    },
    Stage::Unopened("isolation"),
    |s| {
        Box::pin(async {
            let isolation = held::<Isolation>(s).await?;
            for [ping, list] in &isolation.rounds {
                show_only(s, [ping, list]);
                if ping.is_served() && isolation.is_list(ping) {
                    return violated(format!(
                        "a ping is answered with what another session got for `{}` under the same id",
                        isolation.list
                    ));
                }
                if list.is_served() && !isolation.is_list(list) && is_empty(list) {
                    return violated(format!(
                        "`{}` is answered with what another session got for a ping under the same id",
                        isolation.list
                    ));
                }
            }
            let [first, second, idle] = &isolation.messages;
            let streams = [
                ("the first", first),
                ("the second", second),
                ("an idle", idle),
            ];
            for (at, (which, messages)) in streams.into_iter().enumerate() {
                let Some(message) = messages.iter().find(|message| is_private(message)) else {
                    continue;
                };
                show_only(s, [&isolation.streams[at]]);
                // On its own stream it breaks other clauses.
                if at < 2 && !isolation.is_of_other(message, at) {
                    continue;
                }
                return violated_by(
                    format!("the GET stream of {which} session carries a message of another"),
                    vec![Excerpt::of_message(s.session.now(), message)],
                );
            }
            let lost = isolation
                .rounds
                .iter()
                .flatten()
                .find(|turn| !turn.is_served());
            match lost {
                Some(turn) => {
                    show_only(s, [turn]);
                    turn.undamaged()?;
                    if let Some(stop) = &isolation.blamed {
                        return Err(stop.clone());
                    }
                    isolation.control.control("a ping behind it")?;
                    match turn.is_lost() {
                        true => violated(format!(
                            "a request under an id that another session uses at the same time {turn}"
                        )),
                        false => turn.control("a request under an id that two sessions use"),
                    }
                }
                None => Ok(()),
            }
        })
    },
);

fn show_only<const N: usize>(s: &Talk, turns: [&Turn; N]) {
    s.forget_log();
    show(s, turns);
}

/// Whether the result has no member but `_meta`.
fn is_empty(turn: &Turn) -> bool {
    let members = turn.result().and_then(Value::as_object);
    members.is_some_and(|members| members.keys().all(|key| key == "_meta"))
}

/// Whether a message belongs to one request, and so to one session.
fn is_private(message: &Message) -> bool {
    let is_response = message.kind() == Kind::Response && message.has_result();
    is_response || message.method.as_deref() == Some("notifications/progress")
}

const SESSION_HEADER_NAME_CASE: Case = Case::probe(
    Clause {
        id: "streamable-http/session-header-name-case",
        title: "the session header's name is read without regard to case",
        statement: "Header names are case-insensitive: MCP-Session-Id, Mcp-Session-Id and \
            mcp-session-id are one header.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("session")],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-session-header-case",
    },
    Advice {
        why: "HTTP libraries write header names as they like, and HTTP/2 in lower case only; a \
            server that knows one spelling loses the sessions of the other clients.",
        how: "Pings three times in a session, with the header spelled MCP-Session-Id, \
            Mcp-Session-Id and mcp-session-id.",
        mend: "Read headers with the means of the HTTP library, which compare names without \
            regard to case.",
    },
    SESSION_HEADER,
    |s| {
        Box::pin(async {
            keeps_sessions(s)?;
            let headers = held::<Headers>(s).await?;
            let of = |refused: bool| {
                let mut spelled = headers.spelled.iter();
                spelled.find(move |(_, turn)| match refused {
                    true => turn.is_refused(),
                    false => turn.is_served(),
                })
            };
            for (_, turn) in &headers.spelled {
                turn.settled()?;
            }
            let Some((served, control)) = of(false) else {
                return unverified("a ping is answered under no spelling of the session header");
            };
            if let Some((name, turn)) = of(true) {
                show(s, [turn, control]);
                return violated(format!(
                    "with the session header spelled `{name}` a ping {turn}, with `{served}` it is served"
                ));
            }
            if headers.without.is_served() {
                return unverified("the server does not require the session id");
            }
            show(s, headers.spelled.iter().map(|(_, turn)| turn));
            match headers.spelled.iter().find(|(_, turn)| !turn.is_served()) {
                Some((name, turn)) => unverified(format!("with `{name}` a ping {turn}")),
                None => Ok(()),
            }
        })
    },
);
