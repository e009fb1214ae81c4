//! The end of a session by DELETE.

use tokio::time::Instant;

use super::{client::*, prelude::*};
use crate::session::Neighbours;

pub(super) const CASES: &[Case] = &[
    SESSION_TERMINATED_404,
    SESSION_TERMINATED_404_GET,
    SESSION_TERMINATED_404_DELETE,
    DELETE_2XX_OR_405,
    DELETE_ENDS_STREAMS,
    DELETE_IS_PER_SESSION,
];

/// The cases that look at one conversation.
const STAGE: Stage = Stage::Unopened("delete");

/// So long a stream may take to end behind the DELETE of its session.
const STREAM_END: Duration = Duration::from_secs(2);

/// Two sessions with their streams, one of which is deleted.
struct Deletion {
    delete: Turn,
    /// H in the session before it was deleted, and the stream of the session.
    before: Turn,
    stream: Turn,
    /// Whether the stream was open right before.
    was_open: bool,
    /// What came behind the DELETE; none if it was refused.
    after: Option<After>,
}

struct After {
    /// Whether the stream ended.
    has_ended: bool,
    post: Turn,
    get: Turn,
    delete: Turn,
    /// What became of the other session.
    other: Other,
}

/// The session that was not deleted.
struct Other {
    before: Turn,
    after: Turn,
    stream: Turn,
    was_open: bool,
    is_open: bool,
}

impl Conversation for Deletion {
    async fn hold(s: &Talk) -> Result<Deletion, Stop> {
        if matches!(s.neighbours(), Neighbours::EndTogether(_)) {
            return unverified(
                "the DELETE of one session ends others, see streamable-http/delete-is-per-session",
            );
        }
        let (first, second) = futures_util::join!(Client::open(s), Client::open(s));
        let (first, second) = (first?, second?);
        if first.id().is_none() {
            return not_applicable("the server gives no session ids");
        }
        let (before, other_before) = futures_util::join!(first.ping(), second.ping());
        let (stream, other_stream) = futures_util::join!(first.listen(), second.listen());
        let (stream, other_stream) = (stream?, other_stream?);
        let was_open = is_open(&stream);
        let other_was_open = is_open(&other_stream);
        let (post, get) = (first.harmless()?, first.talk.get()?);
        let again = first.talk.delete()?;
        let delete = first.talk.turn(first.talk.delete()?).await;
        let mut after = None;
        if delete.is_success() {
            if delete.status()? == 202 {
                first.accepted_end().await?;
            }
            // It is over: whoever ends it once more has to mean it.
            first.talk.session.forget_session_id();
            let other_after = second.ping().await?;
            let ended = tokio::time::timeout(STREAM_END, stream.posting.ended());
            let has_ended = was_open && ended.await.is_ok();
            let post = first.talk.turn(post).await;
            let get = first.talk.turn(get).await;
            get.posting.disconnect();
            after = Some(After {
                has_ended,
                post,
                get,
                delete: first.talk.turn(again).await,
                other: Other {
                    before: other_before?,
                    after: other_after,
                    was_open: other_was_open,
                    is_open: is_open(&other_stream),
                    stream: other_stream,
                },
            });
        }
        stream.posting.disconnect();
        Ok(Deletion {
            delete,
            before: before?,
            stream,
            was_open,
            after,
        })
    }
}

impl Client {
    /// Waits until the session is refused, or has had its time: 202 says that it will end.
    async fn accepted_end(&self) -> Result<(), Stop> {
        let limit = Instant::now() + STREAM_END;
        while self.ping().await?.status()? != 404 && Instant::now() < limit {
            tokio::time::sleep(STREAM_END / 20).await;
        }
        Ok(())
    }
}

fn is_open(stream: &Turn) -> bool {
    stream.is_stream() && stream.posting.is_over().is_none()
}

impl Deletion {
    /// What came behind the DELETE, where there is a session that it could end.
    fn after(&self) -> Result<&After, Stop> {
        match (&self.after, self.delete.status()?) {
            (Some(after), _) => Ok(after),
            (None, 405) => not_applicable("the server does not let clients end sessions"),
            (None, _) => unverified(format!(
                "a DELETE of the session {}, see streamable-http/delete-2xx-or-405",
                self.delete
            )),
        }
    }

    /// The same where the session has a stream besides.
    fn after_stream(&self) -> Result<&After, Stop> {
        let after = self.after()?;
        self.stream.settled()?;
        match self.stream.is_stream() {
            true => Ok(after),
            false => not_applicable(format!("a GET for a stream {}", self.stream)),
        }
    }
}

const SESSION_TERMINATED_404: Case = Case::probe(
    Clause {
        id: "streamable-http/session-terminated-404",
        title: "requests in a terminated session get 404",
        statement: "After a session has been terminated, requests with its id are answered with 404 \
            Not Found.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("session"), Gate::Met("delete")],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-terminated-session-400",
    },
    Advice {
        why: "404 is how a client learns that its session is gone and that it has to start anew; \
            on any other answer it keeps trying, or speaks in a session that it has ended.",
        how: "Opens a session, pings, ends it with DELETE and, when that was answered with \
            success, pings again with the old id.",
        mend: "Forget the session at DELETE, and answer 404 to every id that is not known.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            keeps_sessions(s)?;
            let deletion = held::<Deletion>(s).await?;
            let after = deletion.after()?;
            show(s, [&deletion.delete, &after.post]);
            deletion.before.control("a ping before the DELETE")?;
            match after.post.status()? {
                404 => Ok(()),
                403 => unverified(format!("a request {}", after.post)),
                _ => violated(format!(
                    "a ping in a terminated session {}; expected 404",
                    after.post
                )),
            }
        })
    },
);

const SESSION_TERMINATED_404_GET: Case = Case::probe(
    Clause {
        id: "streamable-http/session-terminated-404-get",
        title: "a GET in a terminated session gets 404",
        statement: "A GET with the id of a terminated session is answered with 404 Not Found as well.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[
            Gate::Met("session"),
            Gate::Met("delete"),
            Gate::Met("get-stream"),
        ],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-terminated-session-get-opens",
    },
    Advice {
        why: "A client that listens on a stream of a session that is gone waits for ever.",
        how: "Ends a session with DELETE and sends a GET for an event stream with the old id.",
        mend: "Look the session up before a stream is opened, and answer 404 if it is gone.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            keeps_sessions(s)?;
            let deletion = held::<Deletion>(s).await?;
            let after = deletion.after_stream()?;
            show(s, [&deletion.delete, &after.get]);
            match after.get.status()? {
                404 => Ok(()),
                403 => unverified(format!("a GET {}", after.get)),
                _ => violated(format!(
                    "a GET in a terminated session {}; expected 404",
                    after.get
                )),
            }
        })
    },
);

const SESSION_TERMINATED_404_DELETE: Case = Case::probe(
    Clause {
        id: "streamable-http/session-terminated-404-delete",
        title: "a second DELETE of a session gets 404",
        statement: "A DELETE with the id of a terminated session is a request with that id like any \
            other, and is answered with 404.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("session"), Gate::Met("delete")],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-second-delete-200",
    },
    Advice {
        why: "A DELETE is a request with a session id like any other; its answer tells a client \
            whether there was a session to end.",
        how: "Ends a session with DELETE and sends the same DELETE again.",
        mend: "Answer 404 to a DELETE of a session that is not known. Answering with success in \
            the spirit of an idempotent method does little harm.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            keeps_sessions(s)?;
            let deletion = held::<Deletion>(s).await?;
            let after = deletion.after()?;
            show(s, [&deletion.delete, &after.delete]);
            match after.delete.status()? {
                404 | 405 => Ok(()),
                403 => unverified(format!("a DELETE {}", after.delete)),
                _ => violated(format!(
                    "a second DELETE of a session {}; expected 404",
                    after.delete
                )),
            }
        })
    },
);

const DELETE_2XX_OR_405: Case = Case::probe(
    Clause {
        id: "streamable-http/delete-2xx-or-405",
        title: "a DELETE ends the session or gets 405",
        statement: "A client's DELETE with a session id terminates the session, or is answered with \
            405 Method Not Allowed.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("session")],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-delete-500",
    },
    Advice {
        why: "A client that is done ends its session so that the server need not keep it; 404 \
            from a router that knows no DELETE tells it that the session was gone already.",
        how: "Sends a DELETE with the headers of a session of its own.",
        mend: "Route DELETE to the transport as well as POST and GET, or answer it with 405.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            keeps_sessions(s)?;
            let deletion = held::<Deletion>(s).await?;
            show(s, [&deletion.delete]);
            deletion.before.control("a ping before the DELETE")?;
            match deletion.delete.status()? {
                200..300 | 405 => Ok(()),
                403 => unverified(format!("a DELETE {}", deletion.delete)),
                _ => violated(format!(
                    "a DELETE of a session {}; expected a success or 405",
                    deletion.delete
                )),
            }
        })
    },
);

const DELETE_ENDS_STREAMS: Case = Case::probe(
    Clause {
        id: "streamable-http/delete-ends-streams",
        title: "a session's streams end with it",
        statement: "When a session is terminated, its open streams are closed.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[
            Gate::Met("session"),
            Gate::Met("delete"),
            Gate::Met("get-stream"),
        ],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-delete-leaves-stream-open",
    },
    Advice {
        why: "Nothing more can come on the stream of a session that is gone; left open it holds \
            a connection on both sides.",
        how: "Opens the GET stream of a session, ends the session with DELETE, pings in another \
            session, and gives the stream two seconds to end.",
        mend: "Close every stream of a session where the session is ended.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            keeps_sessions(s)?;
            let deletion = held::<Deletion>(s).await?;
            let after = deletion.after_stream()?;
            show(s, [&deletion.stream, &deletion.delete]);
            if !deletion.was_open {
                return unverified("the stream had ended before the DELETE");
            }
            match after.has_ended {
                true => Ok(()),
                false => violated(format!(
                    "the stream of a session is still open {} s after its DELETE",
                    STREAM_END.as_secs()
                )),
            }
        })
    },
);

const DELETE_IS_PER_SESSION: Case = Case::probe(
    Clause {
        id: "streamable-http/delete-is-per-session",
        title: "a DELETE ends only the session that it names",
        statement: "Terminating one session leaves others as they are.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("session"), Gate::Met("delete")],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-delete-ends-all-sessions",
    },
    Advice {
        why: "One client that leaves must not take the others with it.",
        how: "Opens two sessions with their GET streams, ends one with DELETE, then pings in the \
            other and looks whether its stream is open.",
        mend: "Keep a transport object for each session, and close that of the session that the \
            DELETE names.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            keeps_sessions(s)?;
            if let Neighbours::EndTogether(said) = s.neighbours() {
                return violated_by("the DELETE of one session ends another", said);
            }
            let deletion = held::<Deletion>(s).await?;
            let other = &deletion.after()?.other;
            other
                .before
                .control("a ping in the other session before the DELETE")?;
            show(s, [&deletion.delete, &other.after]);
            other.after.settled()?;
            if other.after.is_refused() {
                return violated(format!(
                    "after the DELETE of one session a ping in another {}",
                    other.after
                ));
            }
            other.after.control("a ping in the other session")?;
            if other.was_open && !other.is_open {
                show(s, [&other.stream]);
                return violated("the DELETE of one session ends the stream of another");
            }
            Ok(())
        })
    },
);
