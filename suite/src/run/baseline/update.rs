use super::{Baseline, Known};
use crate::{
    run::{FailOn, Judgement, Run, Verdict},
    spec::Revision,
};

/// What stands above the entries of a new file.
const HEAD: &str = "# Failures of this server that are known: they fail no run of mcp-conform. New ones do, and so do\n\
                    # entries that hold no longer. --update-baseline rewrites the entries and keeps the reasons.";
/// What a person is to replace.
const REASON: &str = "to be explained";

/// A baseline brought up to date.
#[derive(Clone, Debug)]
pub struct Update {
    /// The text of the file.
    pub text: String,
    /// How many entries are new,
    pub added: usize,
    /// how many are gone, since they hold no longer,
    pub removed: usize,
    /// and how many are as they were.
    pub kept: usize,
}

impl Baseline {
    /// The baseline with what fails the run at this threshold, without what holds no longer.
    /// Entries of which the run has seen nothing stay.
    pub fn updated(&self, run: &Run, threshold: FailOn) -> Update {
        let kept: Vec<Known> = self
            .entries
            .iter()
            .filter(|entry| entry.is_possible() && entry.mended(run).is_empty())
            .cloned()
            .collect();
        let fails = |judgement: &&Judgement| match judgement.verdict {
            Verdict::Fail | Verdict::Error => true,
            Verdict::Warn => threshold == FailOn::Should,
            _ => false,
        };
        let new: Vec<&Judgement> = run
            .judgements
            .iter()
            .filter(fails)
            .filter(|judgement| !kept.iter().any(|entry| entry.covers(judgement)))
            .collect();
        let added = entries(run, &new);
        let (removed, stays) = (self.entries.len() - kept.len(), kept.len());
        let added_count = added.len();
        let mut entries: Vec<Known> = kept.into_iter().chain(added).collect();
        let name = |revision: Option<Revision>| revision.map(Revision::as_str);
        entries.sort_by(|a, b| {
            let key = |entry: &Known| (entry.transport.map(|t| t.as_str()), name(entry.revision));
            (&a.case, key(a)).cmp(&(&b.case, key(b)))
        });
        Update {
            text: self.written(&entries),
            added: added_count,
            removed,
            kept: stays,
        }
    }

    fn written(&self, entries: &[Known]) -> String {
        let head = if self.head.is_empty() {
            HEAD
        } else {
            &self.head
        };
        let blocks = |text: fn(&Known) -> String| {
            let mut blocks = vec![head.to_owned()];
            blocks.extend(entries.iter().map(text));
            blocks.join("\n\n") + "\n"
        };
        let kept = blocks(|entry| entry.text.clone().unwrap_or_else(|| entry.written()));
        match Baseline::read(&self.path, &kept) {
            Ok(read) if read.entries.len() == entries.len() => kept,
            // A string over several lines may look like a comment, and was cut in two.
            _ => blocks(Known::written),
        }
    }
}

impl Known {
    /// The entry as TOML.
    fn written(&self) -> String {
        let mut text = format!("[[known]]\ncase = {}", quoted(&self.case));
        let revision = self.revision.map(|revision| quoted(revision.as_str()));
        let transport = self.transport.map(|transport| quoted(transport.as_str()));
        let issue = self.issue.as_deref().map(quoted);
        for (name, value) in [
            ("revision", revision),
            ("transport", transport),
            ("reason", Some(quoted(&self.reason))),
            ("issue", issue),
            ("expires", self.expires.map(|day| day.to_string())),
        ] {
            if let Some(value) = value {
                text += &format!("\n{name} = {value}");
            }
        }
        text
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Entries for what is new: one for a case that is broken wherever it was judged, else one for
/// each revision.
fn entries(run: &Run, new: &[&Judgement]) -> Vec<Known> {
    let mut entries = Vec::new();
    for (at, judgement) in new.iter().enumerate() {
        let same = |other: &&Judgement| other.case.clause.id == judgement.case.clause.id;
        let judged = run.judgements.iter().filter(same);
        let judged = judged.filter(|other| other.verdict != Verdict::NotApplicable);
        let everywhere = judged.count() == new.iter().copied().filter(same).count();
        let several = new.iter().copied().filter(same).count() > 1;
        if everywhere && several && new[..at].iter().copied().any(|other| same(&other)) {
            continue;
        }
        let clause = &judgement.case.clause;
        entries.push(Known {
            case: clause.id.to_owned(),
            revision: (!everywhere || !several).then_some(judgement.revision),
            // A case of one transport needs no word on it.
            transport: (clause.transports.len() > 1).then_some(judgement.transport),
            reason: REASON.to_owned(),
            issue: None,
            expires: None,
            line: 0,
            text: None,
        });
    }
    entries
}
