//! Whether the streams of requests bring their responses: at once, or to a client that comes back.

use super::{
    course::{Course, Polled, Streams, TO_CLOSE},
    prelude::*,
};

pub(super) const CASES: &[Case] = &[
    SSE_BRINGS_RESPONSE,
    SSE_NOT_CLOSED_EARLY,
    SSE_EARLY_CLOSE_AFTER_ID,
    SSE_CLOSED_AFTER_RESPONSE,
    SSE_RETRY_BEFORE_CLOSE,
    SSE_POLLING_COMPLETES,
];

const SSE_BRINGS_RESPONSE: Case = Case::probe(
    Clause {
        id: "streamable-http/sse-brings-response",
        title: "a stream brings the response to its request",
        statement: "A stream opened for a request eventually includes the response to it.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("sse-response")],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-sse-no-response",
    },
    Advice {
        why: "A client that reads an open stream waits for as long as it stands open.",
        how: "A `ping` and a list are posted; a stream that answers one is read until the \
            response has come, or the limit for one answer is over. A stream that ends before \
            is judged by other clauses.",
        mend: "Write the response on the stream that you have opened for its request.",
    },
    Stage::Together("http-streams"),
    |s| {
        Box::pin(async {
            let scene = s.scene::<Streams>().await?;
            let courses = scene.needed()?;
            for course in courses
                .iter()
                .filter(|course| course.quick && !course.answered)
            {
                if let Some(lost) = &course.lost {
                    return Err(lost.clone());
                }
                if course.close.is_none() {
                    return violated(format!(
                        "the stream that answers `{}` brings no response within {} s and stays open",
                        course.method,
                        s.answer_limit().as_secs_f32()
                    ));
                }
                if course.polled != Polled::Answered {
                    return unverified(format!(
                        "the stream that answers `{}` ends without the response, see streamable-http/{}",
                        course.method,
                        early_clause(s, course)
                    ));
                }
            }
            Ok(())
        })
    },
);

/// The clause that a stream breaks which ends without its response.
fn early_clause(s: &Talk, course: &Course) -> &'static str {
    match course.gave_id {
        _ if s.revision() < V2025_11_25 => "sse-not-closed-early",
        true => "sse-polling-completes",
        false => "sse-early-close-after-id",
    }
}

const SSE_NOT_CLOSED_EARLY: Case = Case::probe(
    Clause {
        id: "streamable-http/sse-not-closed-early",
        title: "a stream is not closed before its response",
        statement: "The server does not close a stream before the response has been sent on it, unless \
            the session expires.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2025_03_26,
        until: V2025_06_18,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("sse-response")],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-sse-early-close",
    },
    Advice {
        why: "A client whose stream ends without the response takes its request for lost.",
        how: "A `ping` and a list are posted; a stream that answers one must not end before its \
            response, while the session goes on.",
        mend: "Keep the stream open until the response has been written, also where a proxy or a \
            time limit would close it.",
    },
    Stage::Together("http-streams"),
    |s| {
        Box::pin(async {
            let scene = s.scene::<Streams>().await?;
            let early =
                |course: &&Course| course.quick && !course.answered && course.close.is_some();
            let courses = scene.needed()?.iter();
            match courses.filter(early).find(|course| course.lost.is_none()) {
                Some(_) if !scene.valid => unverified("the session was over by then"),
                Some(course) => violated(format!(
                    "the stream that answers `{}` ends without the response",
                    course.method
                )),
                None => Ok(()),
            }
        })
    },
);

const SSE_EARLY_CLOSE_AFTER_ID: Case = Case::probe(
    Clause {
        id: "streamable-http/sse-early-close-after-id",
        title: "a connection is not closed early without an event id",
        statement: "The server does not close the connection of an unfinished stream before it has \
            sent an event with an id on it, so that the client can come back.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("sse-response")],
        anchors: &[(
            V2025_11_25,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-sse-early-close-no-id",
    },
    Advice {
        why: "Without an id the client does not know from where to go on, and the response is \
            lost.",
        how: "A `ping`, a list, and the tool test_reconnection where it may be called: where the \
            server ends a stream before the response, an event with an id has to stand in \
            front of that.",
        mend: "Begin every stream with an event that has an id before you let its connection go.",
    },
    Stage::Together("http-streams"),
    |s| {
        Box::pin(async {
            let scene = s.scene::<Streams>().await?;
            let early: Vec<&Course> = scene.needed()?.iter().filter(|c| c.is_early()).collect();
            match early
                .iter()
                .find(|course| !course.gave_id && course.lost.is_none())
            {
                Some(_) if !scene.valid => unverified("the session was over by then"),
                Some(course) => violated(format!(
                    "the connection that answers `{}` ends without the response and without any \
                     event id",
                    course.method
                )),
                None if early.is_empty() => unverified(NONE_EARLY),
                None => Ok(()),
            }
        })
    },
);

/// Why a run cannot tell what would happen if a stream ended before its response.
const NONE_EARLY: &str = "no stream ended before its response";

const SSE_CLOSED_AFTER_RESPONSE: Case = Case::probe(
    Clause {
        id: "streamable-http/sse-closed-after-response",
        title: "a stream is closed after its response",
        statement: "When the response, or in a batch all of them, has been sent, the server ends the \
            stream.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("sse-response")],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-sse-left-open",
    },
    Advice {
        why: "Every stream that stays open holds a connection; browsers have six for a host.",
        how: "A `ping` and a list are posted, then another request; when that is answered the \
            streams have to have ended, or end within 2 s.",
        mend: "End the body of the answer behind the response.",
    },
    Stage::Together("http-streams"),
    |s| {
        Box::pin(async {
            let scene = s.scene::<Streams>().await?;
            let courses = scene.needed()?;
            if let Some(course) = courses.iter().find(|course| course.left_open) {
                return violated(format!(
                    "the stream that answers `{}` is still open {} s after the response",
                    course.method,
                    TO_CLOSE.as_secs()
                ));
            }
            match courses.iter().any(|course| course.answered) {
                true => Ok(()),
                false => unverified(
                    "no stream brought a response, see streamable-http/sse-brings-response",
                ),
            }
        })
    },
);

const SSE_RETRY_BEFORE_CLOSE: Case = Case::probe(
    Clause {
        id: "streamable-http/sse-retry-before-close",
        title: "a retry time is given before an unfinished stream is left",
        statement: "If the server closes a connection before its stream is finished, it sends an event \
            with a retry field first.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(
            V2025_11_25,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-close-without-retry",
    },
    Advice {
        why: "Without it clients come back at once or much later, each as it likes.",
        how: "The streams of streamable-http/sse-early-close-after-id that ended before the \
            response: a retry field has to stand on each.",
        mend: "Send `retry:` with a number of milliseconds, in the first event or in one of its \
            own, before you let a connection go.",
    },
    Stage::Together("http-streams"),
    |s| {
        Box::pin(async {
            let scene = s.scene::<Streams>().await?;
            let early: Vec<&Course> = scene.courses.iter().filter(|c| c.is_early()).collect();
            match early
                .iter()
                .find(|course| !course.gave_retry && course.lost.is_none())
            {
                Some(course) => violated(format!(
                    "the connection that answers `{}` ends before the response without a retry time",
                    course.method
                )),
                None if early.is_empty() => unverified(NONE_EARLY),
                None => Ok(()),
            }
        })
    },
);

const SSE_POLLING_COMPLETES: Case = Case::probe(
    Clause {
        id: "streamable-http/sse-polling-completes",
        title: "polling an early closed stream brings the response",
        statement: "After the server has closed the connection of an unfinished stream, a GET with the \
            last event id continues that stream until the response.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("event-ids")],
        anchors: &[(V2025_11_25, "basic/transports#resumability-and-redelivery")],
        fault: "http-resume-loses-response",
    },
    Advice {
        why: "A client that was told to come back and gets nothing then has lost its request.",
        how: "The streams of streamable-http/sse-early-close-after-id that ended before the \
            response and gave an id: GET with that id, after the retry time, up to ten times, \
            has to bring the response.",
        mend: "Store what is sent on a stream until its response has been read, and replay it to \
            a GET with `Last-Event-ID`.",
    },
    Stage::Together("http-streams"),
    |s| {
        Box::pin(async {
            let scene = s.scene::<Streams>().await?;
            if !scene.courses.iter().any(|course| course.gave_id) {
                return not_applicable("no event has an id");
            }
            let mut seen = false;
            for course in scene.courses.iter().filter(|c| c.is_early() && c.gave_id) {
                seen = true;
                let what = match &course.polled {
                    Polled::Answered | Polled::NotAtAll => continue,
                    Polled::Refused(status) => format!("GET gets HTTP status {status}"),
                    Polled::InVain(what) => (*what).to_owned(),
                };
                return violated(format!(
                    "the response to `{}` cannot be fetched with the last event id: {what}",
                    course.method
                ));
            }
            match seen {
                true => Ok(()),
                false => unverified(NONE_EARLY),
            }
        })
    },
);
