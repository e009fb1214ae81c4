//! Requests that name no session, one that never was, or theirs in another spelling.

use super::{client::*, prelude::*};

pub(super) const CASES: &[Case] = &[SESSION_REQUIRED_400, SESSION_UNKNOWN_REFUSED];

/// The cases that look at one conversation.
pub(super) const STAGE: Stage = Stage::Unopened("session-header");

const SESSION: &str = "Mcp-Session-Id";

/// The spellings of the header's name that the revisions and HTTP know.
const SPELLINGS: [&str; 3] = ["MCP-Session-Id", "Mcp-Session-Id", "mcp-session-id"];

/// L and H with the session header, without it, and with it in other ways.
pub(super) struct Headers {
    /// L as it should be.
    control: Turn,
    /// L without the header.
    pub(super) without: Turn,
    /// L with an id that was never given.
    unknown: Turn,
    /// H with each spelling of the header's name.
    pub(super) spelled: Vec<(&'static str, Turn)>,
}

impl Conversation for Headers {
    async fn hold(s: &Talk) -> Result<Headers, Stop> {
        let client = Client::open(s).await?;
        let Some(id) = client.id() else {
            return not_applicable("the server gives no session ids");
        };
        let control = client.talk.turn(client.list()?).await;
        let without = client.list()?.without(SESSION);
        let without = client.talk.turn(without).await;
        // Go opens a session for such a post; it is not left behind.
        if let Some(other) = without.header(SESSION).filter(|other| *other != id) {
            let delete = client.talk.delete()?.header(SESSION, &other);
            client.talk.turn(delete).await;
        }
        let unknown = client.list()?.header(SESSION, &altered(&id));
        let unknown = client.talk.turn(unknown).await;
        let mut spelled = Vec::new();
        for name in SPELLINGS {
            let draft = client.harmless()?.header(name, &id).raw();
            spelled.push((name, client.talk.turn(draft).await));
        }
        Ok(Headers {
            control,
            without,
            unknown,
            spelled,
        })
    }
}

/// The id with three characters in its middle changed to others of their kind.
fn altered(id: &str) -> String {
    let mut letters: Vec<char> = id.chars().collect();
    let middle = letters.len() / 2;
    let mut places: Vec<usize> = (0..letters.len())
        .filter(|at| letters[*at].is_ascii_alphanumeric())
        .collect();
    places.sort_by_key(|at| at.abs_diff(middle));
    for at in places.into_iter().take(3) {
        letters[at] = match letters[at] {
            'f' => 'a',
            'F' => 'A',
            'z' => 'g',
            'Z' => 'G',
            '9' => '0',
            // The next one is of the same kind.
            letter => char::from_u32(u32::from(letter) + 1).unwrap_or(letter),
        };
    }
    letters.into_iter().collect()
}

const SESSION_REQUIRED_400: Case = Case::probe(
    Clause {
        id: "streamable-http/session-required-400",
        title: "a request without the required session id gets 400",
        statement: "A server that requires a session id answers a request without one, other than \
            initialize, with 400 Bad Request.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("session")],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-missing-session-404",
    },
    Advice {
        why: "404 tells a client that its session is gone and makes it start over; 400 tells it \
            that it has forgotten the header.",
        how: "Posts a list request in a session without the session header, and the same with it \
            as the control.",
        mend: "Answer 400 where the header is missing, and 404 where it names a session that does \
            not exist.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            keeps_sessions(s)?;
            let headers = held::<Headers>(s).await?;
            let turn = &headers.without;
            show(s, [turn]);
            headers
                .control
                .control("the same request with the session header")?;
            match turn.status()? {
                400 => Ok(()),
                200..300 => unverified("the server does not require the session id"),
                403 => unverified(format!("a request {turn}")),
                status => violated(format!(
                    "a request without the required session id is answered with HTTP status {status}; \
                     expected 400"
                )),
            }
        })
    },
);

const SESSION_UNKNOWN_REFUSED: Case = Case::probe(
    Clause {
        id: "streamable-http/session-unknown-refused",
        title: "a session id that was never issued is refused",
        statement: "A server that issues session ids answers a request with one that it never issued \
            with 404 Not Found.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("session")],
        anchors: &[(V2025_03_26, "basic/transports#session-management")],
        fault: "http-accepts-unknown-session",
    },
    Advice {
        why: "A client whose session is gone has to learn of it and start anew; a server that \
            answers any id has no sessions, or gives one client those of others.",
        how: "Posts a list request with a session id in which three characters were changed, and \
            the same with the id itself as the control.",
        mend: "Look each id up among those that were given, and answer 404 if it is not there.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            keeps_sessions(s)?;
            let headers = held::<Headers>(s).await?;
            let turn = &headers.unknown;
            show(s, [turn]);
            headers
                .control
                .control("the same request with the session id that was given")?;
            if headers.without.is_served() {
                return unverified("the server serves requests without any session id as well");
            }
            match turn.status()? {
                404 => Ok(()),
                403 => unverified(format!("a request {turn}")),
                status @ 400..500 => {
                    s.remark(format!(
                        "a session id that was never given is refused with {status}; 404 tells a \
                         client to start anew"
                    ));
                    Ok(())
                }
                _ if turn.is_served() => violated(
                    "a request with a session id that was never given is answered with a result",
                ),
                status if status >= 500 => violated(format!(
                    "a request with a session id that was never given is answered with HTTP status \
                     {status}; expected 404"
                )),
                _ if turn.is_refused() => {
                    s.remark(
                        "a session id that was never given is refused by an error; 404 tells a \
                              client to start anew",
                    );
                    Ok(())
                }
                _ => unverified(format!("a request {turn}")),
            }
        })
    },
);

#[cfg(test)]
mod tests {
    use super::altered;

    #[test]
    fn an_altered_id_differs_in_three_characters_of_its_kind() {
        for id in [
            "0190aaff-bb9f-7f99-8fff-0242ac120002",
            "5e55104f5e55104f",
            "Zz9",
        ] {
            let other = altered(id);
            let pairs = || id.chars().zip(other.chars());
            assert_eq!(pairs().filter(|(a, b)| a != b).count(), 3, "{other}");
            assert!(pairs().all(|(a, b)| a.is_ascii_digit() == b.is_ascii_digit()));
            assert!(pairs().all(|(a, b)| a.is_ascii_hexdigit() == b.is_ascii_hexdigit()));
        }
    }
}
