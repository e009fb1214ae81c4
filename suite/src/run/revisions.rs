//! All revisions of a run, asked for and judged side by side.

use std::cell::{Cell, RefCell};

use futures_util::future::join_all;

use super::{
    Judgement, NoServer, Spoken,
    ask::Asked,
    lane::Probed,
    live::{Live, Revisioned},
    refused, refused_http, unopened,
};
use crate::{case::Stage, session::OpenFailure};

/// What a revision came to.
pub(super) type Judged = (Spoken, Vec<Judgement>);

/// A revision whose cases were run, or which could not be opened because of a clause.
enum Tried {
    Judged(Vec<Probed>),
    Unreadable(&'static str),
    Failed(Spoken),
    /// Nothing came within the limit, or what a server without room for another session says.
    Starved(Spoken),
}

impl Tried {
    fn probed(&self) -> &[Probed] {
        match self {
            Tried::Judged(probed) => probed,
            _ => &[],
        }
    }
}

/// Asks for the newest revision first: a launcher that downloads does so once. The others follow
/// side by side.
pub(super) async fn judge_all<'a>(
    live: &'a Live<'a>,
    revised: &'a [Revisioned<'a>],
) -> Result<Vec<Judged>, NoServer> {
    let Some((first_asked, others)) = revised.split_first() else {
        return Ok(Vec::new());
    };
    let newest = Cell::new(true);
    let failed = RefCell::new(Vec::new());
    let probes = |revised: &Revisioned<'_>| {
        revised
            .planned
            .run
            .iter()
            .filter(|case| case.probe.is_some())
            .count()
    };
    let go = async |revised: &'a Revisioned<'a>, asked: Asked<'a>| match asked {
        Asked::Open(open) => {
            live.total.set(live.total.get() + probes(revised));
            Tried::Judged(revised.judge(open, newest.replace(false)).await)
        }
        Asked::Unreadable(clause) => Tried::Unreadable(clause),
        Asked::Failed(failure, session) => {
            let spoken = match &failure {
                OpenFailure::OtherRevision(offered) => Spoken::Other(offered.clone()),
                failure => Spoken::No(failure.describe()),
            };
            let tried = match failure {
                OpenFailure::Silent | OpenFailure::Died | OpenFailure::Closed(_) => {
                    Tried::Starved(spoken)
                }
                // Too busy, or with a session too many.
                OpenFailure::Status(409 | 429 | 500.., _) => Tried::Starved(spoken),
                _ => Tried::Failed(spoken),
            };
            failed.borrow_mut().push((failure, session));
            tried
        }
    };
    let asked = first_asked.ask(true).await?;
    if let Some(elsewhere) = live.explain(&asked).await {
        return Err(elsewhere);
    }
    if matches!(asked, Asked::Failed(OpenFailure::Silent, _)) {
        // It has had the time to download; from now on it is only asked.
        let mut limits = live.limits.get();
        limits.first_answer = limits.answer;
        live.limits.set(limits);
    }
    // What is looked at in one revision only is looked at in the newest that is spoken: as long as the
    // server says that it speaks another, the next one is asked for alone.
    let (mut tried, mut leading, mut asked) = (Vec::new(), first_asked, asked);
    let mut others = others.iter();
    while matches!(&asked, Asked::Failed(failure, _) if failure.names_other())
        && let Some(next) = others.next()
    {
        tried.push(go(leading, asked).await);
        (leading, asked) = (next, next.ask(true).await?);
    }
    let rest = join_all(others.map(async |revised| match revised.ask(false).await {
        Ok(asked) => go(revised, asked).await,
        Err(error) => Tried::Failed(Spoken::No(error.to_string())),
    }));
    // The others ask before the lanes of the first take the leave to run.
    let (rest, leading) = futures_util::join!(rest, go(leading, asked));
    tried.push(leading);
    tried.extend(rest);
    // What failed beside others may have been starved by them: each is asked once more, alone.
    if tried.iter().any(|tried| matches!(tried, Tried::Judged(_))) {
        for (revised, tried) in revised.iter().zip(&mut tried) {
            if matches!(tried, Tried::Starved(_))
                && let Ok(asked) = revised.ask(true).await
            {
                *tried = go(revised, asked).await;
            }
        }
    }
    let once: Vec<Probed> = tried
        .iter()
        .flat_map(Tried::probed)
        .filter(|probed| matches!(probed.case.stage(), Some(Stage::Once(_))))
        .cloned()
        .collect();
    let judged: Vec<Judged> = revised
        .iter()
        .zip(tried)
        .map(|(revised, tried)| match tried {
            Tried::Judged(mut probed) => {
                probed.retain(|probed| !matches!(probed.case.stage(), Some(Stage::Once(_))));
                probed.extend(once.iter().cloned());
                (Spoken::Yes, revised.fold(probed, None))
            }
            Tried::Unreadable(clause) => (Spoken::Yes, revised.fold(Vec::new(), Some(clause))),
            Tried::Failed(spoken) | Tried::Starved(spoken) => (spoken, Vec::new()),
        })
        .collect();
    if judged.iter().all(|(spoken, _)| *spoken != Spoken::Yes) {
        let mut failed = failed.into_inner();
        let mut refusal = None;
        if failed.len() == revised.len() {
            refusal = match refused_http::judged(first_asked, &failed).await {
                None => refused::judged(first_asked, &failed).await,
                probed => probed,
            };
        }
        if let Some(probed) = refusal {
            let clause = probed.case.clause.id;
            let judged = revised.iter().map(|revised| {
                let fold = revised.fold(vec![probed.clone()], Some(clause));
                (Spoken::Yes, fold)
            });
            return Ok(judged.collect());
        }
        if let Some(judged) = unopened::judged(revised) {
            return Ok(judged);
        }
        // The most telling failure: an answer, then a death, then silence.
        failed.sort_by_key(|(failure, _)| match failure {
            OpenFailure::OtherRevision(_) => 0,
            OpenFailure::NoVersion => 1,
            OpenFailure::Refused(_) => 2,
            OpenFailure::Died => 3,
            _ => 4,
        });
        if let Some((failure, session)) = failed.first() {
            let asked: Vec<_> = revised
                .iter()
                .map(|revised| revised.revision.as_str())
                .collect();
            let reason = match failure {
                OpenFailure::OtherRevision(offered) => format!(
                    "the server speaks none of the revisions {}: it offers `{offered}`; choose with --revision",
                    asked.join(", ")
                ),
                failure => format!("no server to judge: {}", failure.describe()),
            };
            let hide = |text: String| live.options.secrets.redact_text(&text);
            if live.client.is_some() {
                return Err(NoServer::Address(hide(reason)));
            }
            return Err(NoServer::NotOpened {
                reason: hide(reason),
                stderr: session.stderr_tail().into_iter().map(hide).collect(),
                stdout: session.stdout_noise().map(hide),
            });
        }
    }
    Ok(judged)
}
