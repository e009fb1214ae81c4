//! Which version is agreed on.

use crate::{cases::prelude::*, talk::Offered};

pub(super) const CASES: &[Case] = &[
    VERSION_OFFER_HONEST,
    UNKNOWN_VERSION_NOT_AGREED,
    UNKNOWN_VERSION_COUNTER_OFFER,
    COUNTER_OFFER_LATEST,
];

/// Versions that no server can know: a date to come, and no date at all.
pub(super) const UNKNOWN: [&str; 2] = ["2099-12-31", "conform-1c9e5a"];

/// What `initialize` came to for each of them, in a session of its own.
pub(super) struct Unknown {
    pub(super) replies: [Reply; UNKNOWN.len()],
}

impl Unknown {
    /// What was offered in place of the date to come.
    fn counter_offer(&self) -> Offered {
        Offered::of(&self.replies[0])
    }
}

impl Conversation for Unknown {
    async fn hold(s: &Talk) -> Result<Unknown, Stop> {
        let other = s.another()?;
        let first = s.say_initialize(asking_for(s, UNKNOWN[0])).await?;
        let second = other.say_initialize(asking_for(s, UNKNOWN[1])).await?;
        Ok(Unknown {
            replies: [first, second],
        })
    }
}

fn asking_for(s: &Talk, version: &str) -> Value {
    let mut params = s.initialize_params();
    params["protocolVersion"] = json!(version);
    params
}

/// What the server answers to each revision that has a handshake, oldest first.
async fn offers(s: &Talk) -> Vec<(Revision, Offered)> {
    let mut offers = Vec::new();
    for revision in Revision::WITH_HANDSHAKE {
        offers.push((revision, s.offered(revision).await));
    }
    offers
}

const VERSION_OFFER_HONEST: Case = Case::probe(
    Clause {
        id: "lifecycle/version-offer-honest",
        title: "A version that the server offers can be had",
        statement: "A version that the server answered with is supported, so a client that asks for it \
            gets the same one back.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#version-negotiation")],
        fault: "version-counter-offer-unsupported",
    },
    Advice {
        why: "A client that takes the server at its word and asks again for what was offered \
            gets nowhere.",
        how: "`initialize` asks for each of the four revisions that have a handshake, and for a \
            date to come, each in a session of its own. Each revision that an answer named has \
            to be given to whoever asks for it.",
        mend: "Offer only versions from the list that you compare the client's version with.",
    },
    Stage::Once("unknown-versions"),
    |s| {
        Box::pin(async {
            let unknown = s.held::<Unknown>().await?;
            let offers = offers(s).await;
            let named: Vec<Offered> = offers
                .iter()
                .map(|(_, offered)| offered.clone())
                .chain(unknown.replies.iter().map(Offered::of))
                .collect();
            let mut unseen = None;
            for (revision, offered) in &offers {
                let wanted = Some(revision.as_str());
                if !named.iter().any(|named| named.version() == wanted) {
                    continue;
                }
                match offered {
                    Offered::Version(version) if Some(version.as_str()) == wanted => {}
                    Offered::Version(version) => {
                        return differs(
                            format!("{revision} is offered, but who asks for it gets another"),
                            revision.as_str(),
                            version,
                        );
                    }
                    Offered::Refused => {
                        return violated(format!(
                            "{revision} is offered, but who asks for it is refused"
                        ));
                    }
                    Offered::Nothing => unseen = Some(revision),
                }
            }
            match unseen {
                Some(revision) => unverified(format!(
                    "`initialize` for {revision} was not answered with a version, \
                     see lifecycle/initialize-answered"
                )),
                None => Ok(()),
            }
        })
    },
);

const UNKNOWN_VERSION_NOT_AGREED: Case = Case::probe(
    Clause {
        id: "lifecycle/unknown-version-not-agreed",
        title: "The server does not agree to a version it cannot know",
        statement: "A request for a version that does not exist is answered with another version, or \
            refused.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#version-negotiation")],
        fault: "version-agrees-to-anything",
    },
    Advice {
        why: "The client goes on under rules that the server has never heard of.",
        how: "`initialize` asks for a date to come, and in another session for what is no date \
            at all.",
        mend: "Compare the client's version with a list of those that you know; do not repeat it \
            unseen.",
    },
    Stage::Once("unknown-versions"),
    |s| {
        Box::pin(async {
            let unknown = s.held::<Unknown>().await?;
            let asked: Vec<_> = UNKNOWN.iter().zip(&unknown.replies).collect();
            for (version, reply) in &asked {
                if Offered::of(reply).version() == Some(**version) {
                    return violated(format!("the server agrees to the version `{version}`"));
                }
            }
            for (version, reply) in asked {
                if reply.is_silence() {
                    return unverified(format!("`initialize` for the version `{version}` {reply}"));
                }
            }
            Ok(())
        })
    },
);

const UNKNOWN_VERSION_COUNTER_OFFER: Case = Case::probe(
    Clause {
        id: "lifecycle/unknown-version-counter-offer",
        title: "An unsupported version is answered with a supported one",
        statement: "When the server does not support the version asked for, it still answers, with a \
            version that it does support.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#version-negotiation")],
        fault: "unknown-version-drops-connection",
    },
    Advice {
        why: "A client that is newer than the server never learns which version would do.",
        how: "`initialize` asks for a date to come, and in another session for what is no date \
            at all. Another version is right, and so is the documented error -32602.",
        mend: "Answer with your newest version if you do not know the client's.",
    },
    Stage::Once("unknown-versions"),
    |s| {
        Box::pin(async {
            let unknown = s.held::<Unknown>().await?;
            for (version, reply) in UNKNOWN.iter().zip(&unknown.replies) {
                counter_offer(s, version, reply)?;
            }
            Ok(())
        })
    },
);

fn counter_offer(s: &Talk, version: &str, reply: &Reply) -> Result<(), Stop> {
    let said = format!("`initialize` for the version `{version}` {reply}");
    match reply {
        Reply::Answer(answer) if answer.message.has_result() => match Offered::of(reply) {
            Offered::Version(offered) if offered == version => unverified(format!(
                "the server agrees to the version `{version}`, \
                 see lifecycle/unknown-version-not-agreed"
            )),
            Offered::Version(_) => Ok(()),
            _ => unverified("the offer names no version, see lifecycle/result-protocol-version"),
        },
        // The prose asks for another version; the page shows this error for the very case.
        _ if reply.error_is(-32602) => Ok(()),
        _ if reply.error_is(-32022) => {
            s.remark("an unknown version is refused with -32022, the code of 2026-07-28");
            Ok(())
        }
        _ if reply.is_error() => violated(format!("{said}, where -32602 is the documented one")),
        Reply::Refused(refusal) if refusal.status < 500 => unverified(said),
        _ => violated(said),
    }
}

const COUNTER_OFFER_LATEST: Case = Case::probe(
    Clause {
        id: "lifecycle/counter-offer-latest",
        title: "The counter-offer is the latest supported version",
        statement: "The version offered in place of an unsupported one is the newest that the server \
            supports.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#version-negotiation")],
        fault: "counter-offer-not-latest",
    },
    Advice {
        why: "Clients newer than the server are thrown back further than need be, and lose \
            features.",
        how: "The offer made for a date to come is compared with the revisions that the server \
            agrees to.",
        mend: "Offer the newest version of your list, not the oldest or a fixed one.",
    },
    Stage::Once("unknown-versions"),
    |s| {
        Box::pin(async {
            let unknown = s.held::<Unknown>().await?;
            let offer = match unknown.counter_offer() {
                Offered::Version(offer) if offer == UNKNOWN[0] => {
                    return unverified(
                        "the server agrees to any version, \
                         see lifecycle/unknown-version-not-agreed",
                    );
                }
                Offered::Version(offer) => offer,
                _ => {
                    return unverified(format!(
                        "`initialize` for the version `{}` {}",
                        UNKNOWN[0], unknown.replies[0]
                    ));
                }
            };
            let offers = offers(s).await;
            let newest = offers
                .iter()
                .rev()
                .find(|(revision, offered)| offered.version() == Some(revision.as_str()));
            match newest {
                Some((revision, _)) if revision.as_str() > offer.as_str() => differs(
                    "the version offered in place of an unknown one is not the newest",
                    revision.as_str(),
                    offer,
                ),
                Some(_) => Ok(()),
                None => unverified("the server agrees to no revision"),
            }
        })
    },
);
