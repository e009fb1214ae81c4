//! The badge: what a server's page may claim of one revision, and nothing more. It is green only
//! for a whole, finished run in which everything that was seen was kept.

mod svg;

use std::io::{self, Write};

use serde_json::json;

use super::{Standing, read::Report, text::counted};
use crate::{
    run::{Counts, Verdict},
    spec::{Revision, Transport},
};

/// What a badge says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    /// The left part: what is claimed.
    pub label: String,
    /// The right part: how it stands.
    pub message: String,
    /// How it stands, as its colour.
    pub shade: Shade,
    /// All of it in words.
    pub title: String,
}

/// The colours of a badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shade {
    /// Green: the server conforms.
    Good,
    /// Red: it does not.
    Bad,
    /// Amber: it does not, but only in what a baseline lists.
    Known,
    /// Grey: that cannot be told.
    Untold,
}

/// Reports that no single badge can stand for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadgeError {
    /// The same was judged twice.
    #[error(
        "two reports judge {revision} over {transport}; `mcp-conform merge` joins the shards of a run"
    )]
    Twice {
        /// The revision.
        revision: Revision,
        /// The transport.
        transport: Transport,
    },
    /// They are of two servers.
    #[error("the reports are of two servers, `{0}` and `{1}`: a badge speaks of one")]
    Servers(String, String),
    /// Nothing was asked for.
    #[error("the reports judge no revision")]
    Nothing,
}

/// How one transport stands in the revision of the badge.
struct Part<'a> {
    transport: Transport,
    /// None if the revision was not asked for over this transport.
    report: Option<&'a Report>,
    standing: Standing,
    counts: Counts,
    /// How many of the failures and errors a baseline lists.
    known: usize,
}

impl Part<'_> {
    fn failures(&self) -> usize {
        self.counts.get(Verdict::Fail) + self.counts.get(Verdict::Error) - self.known
    }

    /// Why the run cannot stand for the server, if it cannot.
    fn doubt(&self) -> Option<String> {
        let report = match self.report {
            Some(report) if self.standing != Standing::NotSpoken => report,
            _ => return Some("not spoken".to_owned()),
        };
        if !report.finished {
            Some("not finished".to_owned())
        } else if let Some(shard) = report.shard {
            Some(format!("shard {shard}"))
        } else if report.filtered {
            Some("filtered".to_owned())
        } else if report.is_recorded() {
            Some("recorded".to_owned())
        } else {
            (self.counts.verified() == 0).then(|| "nothing verified".to_owned())
        }
    }
}

impl Badge {
    /// The badge of all these reports in one revision: the one given, else the newest that the
    /// server speaks on every transport, else the newest that it speaks on any.
    ///
    /// # Errors
    /// The reports do not belong together.
    pub fn of(reports: &[Report], revision: Option<Revision>) -> Result<Badge, BadgeError> {
        one_server(reports)?;
        let transports: Vec<Transport> = Transport::ALL
            .iter()
            .copied()
            .filter(|transport| reports.iter().any(|report| report.transport == *transport))
            .collect();
        let revision = revision
            .or_else(|| newest(reports, &transports))
            .ok_or(BadgeError::Nothing)?;
        let parts = transports
            .iter()
            .map(|transport| part(reports, *transport, revision))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Badge::told(revision, &parts))
    }

    /// The badge of a run that has not come to its end.
    pub fn unfinished() -> Badge {
        Badge {
            label: "MCP".to_owned(),
            message: "? not finished".to_owned(),
            shade: Shade::Untold,
            title: "MCP conformance: the run has not come to its end".to_owned(),
        }
    }

    fn told(revision: Revision, parts: &[Part<'_>]) -> Badge {
        let sum = |of: &dyn Fn(&Part<'_>) -> usize| parts.iter().map(of).sum::<usize>();
        let failures = sum(&|part| part.failures());
        let known = sum(&|part| part.known);
        let seen = format!(
            "{}/{}",
            sum(&|part| part.counts.verified()),
            sum(&|part| part.counts.applicable())
        );
        let (shade, verdict) = if failures > 0 {
            (Shade::Bad, format!("✗ {failures} failed · {seen}"))
        } else if let Some(doubt) = parts.iter().find_map(Part::doubt) {
            (Shade::Untold, format!("? {doubt} · {seen}"))
        } else if known > 0 {
            let known = counted(known, "known failure", "known failures");
            (Shade::Known, format!("! {known} · {seen}"))
        } else {
            (Shade::Good, format!("✓ {seen}"))
        };
        let transports: Vec<_> = parts.iter().map(|part| short(part.transport)).collect();
        Badge {
            label: format!("MCP {revision}"),
            message: format!("{} {verdict}", transports.join(" · ")),
            shade,
            title: title(revision, parts),
        }
    }

    /// Writes the badge as a picture.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn svg(&self, out: &mut dyn Write) -> io::Result<()> {
        svg::write(self, out)
    }

    /// Writes the badge as the JSON that an endpoint of shields.io answers with.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn endpoint(&self, out: &mut dyn Write) -> io::Result<()> {
        let document = json!({
            "schemaVersion": 1,
            "label": self.label,
            "message": self.message,
            "color": match self.shade {
                Shade::Good => "brightgreen",
                Shade::Bad => "red",
                Shade::Known => "yellow",
                Shade::Untold => "lightgrey",
            },
            // Whoever embeds the badge cannot paint over a failure.
            "isError": self.shade == Shade::Bad,
        });
        super::json::write_document(&document, out)
    }
}

fn one_server(reports: &[Report]) -> Result<(), BadgeError> {
    let mut names = reports
        .iter()
        .filter_map(|report| report.server.as_ref())
        .map(|server| server.name.as_str());
    let Some(first) = names.next() else {
        return Ok(());
    };
    match names.find(|name| *name != first) {
        None => Ok(()),
        Some(other) => Err(BadgeError::Servers(
            crate::tape::escaped(first),
            crate::tape::escaped(other),
        )),
    }
}

/// The revision that the badge is about, if none is named.
fn newest(reports: &[Report], transports: &[Transport]) -> Option<Revision> {
    let spoken = |revision: Revision, transport: Transport| {
        reports.iter().any(|report| {
            report.transport == transport && report.standing(revision) != Standing::NotSpoken
        })
    };
    let asked = |revision: Revision| {
        reports
            .iter()
            .flat_map(|report| &report.revisions)
            .any(|entry| entry.revision == revision)
    };
    let on_all = |revision: &Revision| transports.iter().all(|t| spoken(*revision, *t));
    let on_any = |revision: &Revision| transports.iter().any(|t| spoken(*revision, *t));
    let mut known: Vec<_> = Revision::ALL.into_iter().filter(|r| asked(*r)).collect();
    known.reverse();
    let found = known
        .iter()
        .find(|revision| on_all(revision))
        .or_else(|| known.iter().find(|revision| on_any(revision)))
        .or(known.first());
    found.copied()
}

fn part(
    reports: &[Report],
    transport: Transport,
    revision: Revision,
) -> Result<Part<'_>, BadgeError> {
    let mut asked = reports.iter().filter(|report| {
        report.transport == transport
            && report
                .revisions
                .iter()
                .any(|entry| entry.revision == revision)
    });
    let report = asked.next();
    if asked.next().is_some() {
        return Err(BadgeError::Twice {
            revision,
            transport,
        });
    }
    let Some(report) = report else {
        return Ok(Part {
            transport,
            report: None,
            standing: Standing::NotSpoken,
            counts: Counts::default(),
            known: 0,
        });
    };
    let broken = |verdict| matches!(verdict, Verdict::Fail | Verdict::Error);
    let known = report
        .of_revision(revision)
        .filter(|result| broken(result.verdict) && result.is_known());
    Ok(Part {
        transport,
        report: Some(report),
        standing: report.standing(revision),
        counts: report.counts(revision),
        known: known.count(),
    })
}

/// The transport in as few letters as a badge has room for.
fn short(transport: Transport) -> &'static str {
    match transport {
        Transport::Stdio => "stdio",
        Transport::HttpSse => "sse",
        Transport::StreamableHttp => "http",
    }
}

/// All that the badge says, and how each transport stands, in words.
fn title(revision: Revision, parts: &[Part<'_>]) -> String {
    let mut sentences: Vec<String> = parts.iter().map(|part| told(part)).collect();
    let mut reports: Vec<&Report> = parts.iter().filter_map(|part| part.report).collect();
    reports.sort_by(|a, b| a.started.cmp(&b.started));
    // A badge is as old as the oldest of what it stands for.
    if let Some(report) = reports.first() {
        let day: String = report.started.chars().take(10).collect();
        sentences.push(format!("mcp-conform {}, {day}", report.tool.version));
    }
    format!("MCP {revision} {}", sentences.join("; "))
}

fn told(part: &Part<'_>) -> String {
    let counts = &part.counts;
    let over = part.transport;
    let doubt = part.doubt();
    let failures = part.failures();
    let word = match (&doubt, failures, part.known) {
        (_, 1.., _) => "does not conform".to_owned(),
        (Some(doubt), 0, _) => doubt.clone(),
        (None, 0, 0) => "conforms".to_owned(),
        (None, 0, _) => "does not conform, as a baseline lists".to_owned(),
    };
    let mut words = vec![format!("over {over}: {word}")];
    let beside = [
        (failures, "failure", "failures"),
        (part.known, "known failure", "known failures"),
    ];
    let beside = beside.iter().filter(|(count, ..)| *count > 0);
    words.extend(beside.map(|(count, one, many)| counted(*count, one, many)));
    if counts.applicable() > 0 {
        words.push(format!(
            "{} of {} clauses verified",
            counts.verified(),
            counts.applicable()
        ));
    }
    if counts.get(Verdict::Warn) > 0 {
        words.push(counted(counts.get(Verdict::Warn), "warning", "warnings"));
    }
    words.join(", ")
}
