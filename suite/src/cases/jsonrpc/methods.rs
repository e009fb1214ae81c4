//! Methods that the server does not have.

use super::{super::prelude::*, triage::is_integer, unread};

pub(super) const CASES: &[Case] = &[
    UNKNOWN_METHOD_ERROR,
    UNKNOWN_METHOD_CODE,
    UNKNOWN_METHOD_ODD_NAME,
    METHOD_CASE_SENSITIVE,
];

/// What became of requests for a method that nobody has, with params and without.
pub(super) struct UnknownMethod([(&'static str, Reply); 2]);

impl UnknownMethod {
    pub(super) fn replies(&self) -> &[(&'static str, Reply)] {
        &self.0
    }
}

impl Scene for UnknownMethod {
    async fn play(s: &Talk) -> Result<UnknownMethod, Stop> {
        let method = format!("conform/unknown-{}", s.nonce());
        let request = |params| {
            let mut request = json!({ "jsonrpc": "2.0", "id": s.fresh_id(), "method": method });
            if params {
                request["params"] = json!({});
            }
            request
        };
        let with = s.send(&request(true), Patience::Limit).await?;
        let without = s.send(&request(false), Patience::Limit).await?;
        Ok(UnknownMethod([
            ("a request for an unknown method", with),
            ("a request for an unknown method without params", without),
        ]))
    }
}

const UNKNOWN_METHOD_ERROR: Case = Case::probe(
    Clause {
        id: "jsonrpc/unknown-method-error",
        title: "An unknown method is answered with an error",
        statement: "A request for a method that the server does not have gets an error response, not a \
            result and not silence.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
        ],
        fault: "unknown-method-accepted",
    },
    Advice {
        why: "Clients try a method to see whether a server has it; silence hangs them, and a \
            result lies to them.",
        how: "Requests for a method with a random name, one with empty params and one without.",
        mend: "Answer what no handler takes with -32601.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let scene = s.scene::<UnknownMethod>().await?;
            for (what, reply) in scene.replies() {
                match reply {
                    Reply::Answer(answer) if !answer.message.has_result() => {}
                    Reply::Refused(refusal) if refusal.message.is_some() => {}
                    Reply::Nameless(_) | Reply::Refused(_) => {
                        return unverified(format!("{what} {reply}"));
                    }
                    Reply::Gone(broken) => return Err(unread(broken.clone().into())),
                    Reply::Answer(_) | Reply::Silent => return violated(format!("{what} {reply}")),
                }
            }
            Ok(())
        })
    },
);

const UNKNOWN_METHOD_CODE: Case = Case::probe(
    Clause {
        id: "jsonrpc/unknown-method-code",
        title: "The code for an unknown method is -32601",
        statement: "The error for a method that does not exist is JSON-RPC's Method not found, -32601.",
        level: Level::Must,
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
        fault: "unknown-method-wrong-code",
    },
    Advice {
        why: "Clients tell a feature that is missing from a request that failed by this code.",
        how: "The requests of jsonrpc/unknown-method-error: the code of each error has to be \
            -32601.",
        mend: "Answer with -32601, also where the params of an unknown method cannot be checked.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let scene = s.scene::<UnknownMethod>().await?;
            let codes: Vec<_> = scene
                .replies()
                .iter()
                .filter_map(|(what, reply)| Some((what, reply, reply.error_code()?)))
                .filter(|(_, _, code)| is_integer(code))
                .collect();
            if codes.is_empty() {
                return unverified("no error with a code came, see jsonrpc/unknown-method-error");
            }
            match codes.iter().find(|(_, reply, _)| !reply.error_is(-32601)) {
                None => Ok(()),
                Some((what, _, code)) => differs(
                    format!("{what} is answered with another code than -32601"),
                    "-32601",
                    code.to_string(),
                ),
            }
        })
    },
);

const UNKNOWN_METHOD_ODD_NAME: Case = Case::probe(
    Clause {
        id: "jsonrpc/unknown-method-odd-name",
        title: "Odd method names are handled like any unknown method",
        statement: "A method name with non-ASCII letters, the empty name, or one of several thousand \
            characters is simply an unknown method: it is answered under the request's id.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
        ],
        fault: "odd-method-dropped",
    },
    Advice {
        why: "A name that a server can neither print nor look up must not cost the session.",
        how: "Requests for a method in Cyrillic letters, for one with an empty name, and for one \
            of 5,000 letters; then pings.",
        mend: "Treat the name as any other string, and log it with care.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let odd = [
                (
                    "in Cyrillic letters",
                    "\u{43c}\u{435}\u{442}\u{43e}\u{434}\u{2603}".to_owned(),
                ),
                ("with an empty name", String::new()),
                ("of 5,000 letters", "m".repeat(5000)),
            ];
            let mut unclear = Ok(());
            for (what, method) in odd {
                let request = json!({ "jsonrpc": "2.0", "id": s.fresh_id(), "method": method });
                let reply = s.send(&request, Patience::Limit).await?;
                match &reply {
                    Reply::Refused(refusal) if refusal.message.is_none() => {
                        unclear = unverified(format!("a request for a method {what} {reply}"));
                    }
                    // The clause asks for an answer under the id; without it another one is broken.
                    Reply::Nameless(_) => {
                        unclear = unverified(format!("a request for a method {what} {reply}"));
                    }
                    reply if reply.is_error() => {}
                    reply => return violated(format!("a request for a method {what} {reply}")),
                }
            }
            match s.fence().await {
                Err(Stop::Broke(broken)) => violated(format!(
                    "after requests for methods with odd names nothing is answered: {broken}"
                )),
                result => result.and(unclear),
            }
        })
    },
);

const METHOD_CASE_SENSITIVE: Case = Case::probe(
    Clause {
        id: "jsonrpc/method-case-sensitive",
        title: "Method names are matched by exact case",
        statement: "A method name that differs from a known one in case is unknown.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "architecture/index#message-types"),
            (V2025_03_26, "basic/index#messages"),
        ],
        fault: "method-case-folded",
    },
    Advice {
        why: "A gateway that filters by name lets through what the server behind it then takes \
            for another method.",
        how: "A request for the method PING.",
        mend: "Compare method names as they are.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let request = json!({ "jsonrpc": "2.0", "id": s.fresh_id(), "method": "PING" });
            match s.send(&request, Patience::Limit).await? {
                reply if reply.is_refusal() => Ok(()),
                reply if reply.is_result() => violated("the method PING is served as `ping`"),
                Reply::Gone(broken) => Err(unread(broken.into())),
                reply => unverified(format!("the method PING {reply}")),
            }
        })
    },
);
