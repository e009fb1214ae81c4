//! On which addresses a local server listens.

use std::net::{IpAddr, SocketAddr};

use futures_util::future::join_all;

use super::{client::*, prelude::*, visitors::STAGE};
use crate::transport::own_addresses;

pub(super) const CASES: &[Case] = &[BINDS_LOOPBACK];

/// So many addresses are tried …
const ADDRESSES: usize = 3;
/// … and each for so long.
const LIMIT: Duration = Duration::from_secs(2);

const BINDS_LOOPBACK: Case = Case::probe(
    Clause {
        id: "streamable-http/binds-loopback",
        title: "a local server listens on loopback only",
        statement: "A server that runs locally binds to the loopback address and not to all \
            interfaces.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("loopback")],
        anchors: &[(V2025_03_26, "basic/transports#security-warning")],
        fault: "http-binds-all-interfaces",
    },
    Advice {
        why: "A server that listens on every interface is reached by everybody in the same \
            network, past all that a browser would forbid.",
        how: "Posts `initialize` to the other addresses of this machine, with the Host of the \
            URL, and compares who answers.",
        mend: "Listen on 127.0.0.1 (and ::1), and not on 0.0.0.0 or ::, which many frameworks do \
            unless they are told a host. Where a container publishes the port, publish it on \
            127.0.0.1.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            if !s.is_loopback() {
                return not_applicable("the server is not on loopback");
            }
            let url = s.url()?;
            let Some(port) = url.port_or_known_default() else {
                return unverified("the URL has no port");
            };
            let Ok(addresses) = own_addresses() else {
                return unverified("the addresses of this machine cannot be listed");
            };
            let tried = addresses.into_iter().take(ADDRESSES);
            let visits = join_all(tried.map(|address| visit(s, SocketAddr::new(address, port))));
            let visits: Vec<(IpAddr, Turn)> = visits.await.into_iter().collect::<Result<_, _>>()?;
            if visits.is_empty() {
                return unverified("this machine has no other address than loopback");
            }
            show(s, visits.iter().map(|(_, turn)| turn));
            let known = s.first_result()["serverInfo"].clone();
            for (address, turn) in &visits {
                let same = |result: &Value| result["serverInfo"] == known && known.is_object();
                if turn.result().is_some_and(same) {
                    return violated(format!(
                        "the same server answers at {}, which is not loopback (a container that \
                         publishes its port is bound by its runtime)",
                        SocketAddr::new(*address, port)
                    ));
                }
                if let Some(403 | 421) = turn.exchange().map(|exchange| exchange.status) {
                    s.remark(format!(
                        "somebody listens at {} too, and refuses the request",
                        SocketAddr::new(*address, port)
                    ));
                }
            }
            Ok(())
        })
    },
);

async fn visit(s: &Talk, address: SocketAddr) -> Result<(IpAddr, Turn), Stop> {
    let talk = s.another_unjudged()?;
    let draft = talk.post(&initialize(&talk))?.connect_to(address);
    Ok((address.ip(), talk.turn_within(draft, LIMIT).await))
}
