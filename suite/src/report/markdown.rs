//! Markdown, as GitHub and GitLab show it: how it stands, what is broken in full, the rest folded.
//!
//! What the server wrote stands in code only, between more backticks than it has in a row: there
//! it is no heading, no link, no tag, and mentions nobody.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use super::{
    Finding, Format, Standing, human, is_broken, plain,
    summary::{rows, shown, unspoken},
    text::counted,
};
use crate::{
    run::{Counts, Run, Verdict},
    tape::escaped,
};

/// The format for summaries.
#[derive(Clone, Copy, Debug)]
pub struct Markdown {
    /// How many bytes it may take.
    pub room: usize,
}

impl Default for Markdown {
    /// A little less than the mebibyte that GitHub takes as the summary of a step.
    fn default() -> Markdown {
        Markdown { room: 1_000_000 }
    }
}

impl Format for Markdown {
    fn write(&self, run: &Run, out: &mut dyn Write) -> io::Result<()> {
        let mut sheet = Sheet::new(self.room);
        sheet.add(&head(run));
        sheet.add(&table(run));
        for (verdict, one, many) in [
            (Verdict::Fail, "failure", "failures"),
            (Verdict::Error, "error", "errors"),
        ] {
            let findings = Finding::all(run, verdict);
            if !findings.is_empty() {
                sheet.add(&format!("### {}\n", counted(findings.len(), one, many)));
                sheet.findings(run, &findings);
            }
        }
        for (verdict, one, many) in [
            (Verdict::Warn, "warning", "warnings"),
            (Verdict::Note, "note", "notes"),
        ] {
            let findings = Finding::all(run, verdict);
            if findings.is_empty() {
                continue;
            }
            sheet.fold(&counted(findings.len(), one, many), |sheet| {
                sheet.findings(run, &findings);
            });
        }
        let known = Finding::known(run);
        if !known.is_empty() {
            sheet.fold(&format!("{} known", known.len()), |sheet| {
                for finding in &known {
                    sheet.add(&known_one(finding));
                }
            });
        }
        let unverified = human::by_reason(run, Verdict::Unverified);
        if !unverified.is_empty() {
            let count = unverified.iter().map(|(_, ids)| ids.len()).sum();
            let title = counted(count, "clause unverified", "clauses unverified");
            sheet.fold(&title, |sheet| {
                for (reason, ids) in &unverified {
                    sheet.add(&format!("- {}: {}\n", code(reason), codes(ids)));
                }
            });
        }
        out.write_all(sheet.end().as_bytes())
    }
}

/// What is kept free for the last words of a sheet.
const LAST_WORDS: usize = 200;

/// Text that stays within its room: a block that would not fit is left out, and counted.
struct Sheet {
    text: String,
    room: usize,
    left_out: usize,
}

impl Sheet {
    fn new(room: usize) -> Sheet {
        Sheet {
            text: String::new(),
            room: room.saturating_sub(LAST_WORDS),
            left_out: 0,
        }
    }

    /// Adds a block below a blank line; the entries of a list stay together.
    fn add(&mut self, block: &str) {
        if self.text.len() + block.len() + 1 > self.room {
            self.left_out += 1;
            return;
        }
        let in_list = |text: &str| text.starts_with("- ");
        let last = self.text.lines().next_back().unwrap_or_default();
        let goes_on = in_list(block) && in_list(last);
        if !self.text.is_empty() && !goes_on {
            self.text.push('\n');
        }
        self.text.push_str(block);
    }

    fn findings(&mut self, run: &Run, findings: &[Finding<'_>]) {
        for finding in findings {
            self.add(&self::finding(run, finding));
        }
    }

    /// Adds what `write` adds, folded under a title.
    fn fold(&mut self, title: &str, write: impl FnOnce(&mut Sheet)) {
        let open = format!("\n<details>\n<summary>{title}</summary>\n");
        let close = "\n</details>\n";
        if self.text.len() + open.len() + close.len() > self.room {
            self.left_out += 1;
            return;
        }
        self.text.push_str(&open);
        self.room -= close.len();
        write(self);
        self.room += close.len();
        self.text.push_str(close);
    }

    fn end(mut self) -> String {
        if self.left_out > 0 {
            let parts = counted(self.left_out, "part finds", "parts find");
            // Writing to a string cannot fail.
            write!(
                self.text,
                "\n{parts} no room here; the other formats hold all.\n"
            )
            .ok();
        }
        self.text
    }
}

fn head(run: &Run) -> String {
    let server = match &run.server {
        Some((name, version)) => format!("calls itself {}", code(&format!("{name} {version}"))),
        None => "does not say its name".to_owned(),
    };
    let mut head = format!(
        "## mcp-conform over {}\n\nThe server {} {server}.\n\n\
         | Revision | | Verified |\n|---|---|---|\n",
        run.transport,
        code(&run.target)
    );
    let mut reasons = String::new();
    for (revision, spoken) in &run.revisions {
        let standing = match Standing::of(run, *revision) {
            Standing::Conforms => "✅ conforms",
            Standing::Breaks => "❌ does not conform",
            Standing::NotSpoken => "➖ not spoken",
            Standing::Untold => "❔ nothing found broken, but not told",
        };
        let counts = Counts::of(run.of_revision(*revision));
        let verified = match counts.applicable() {
            0 => String::new(),
            applicable => format!("{} of {applicable} clauses", counts.verified()),
        };
        writeln!(head, "| {revision} | {standing} | {verified} |").ok();
        if let Some(reason) = unspoken(spoken) {
            writeln!(reasons, "- {revision} is not spoken: {}", code(&reason)).ok();
        }
    }
    for flaw in run.flaws() {
        writeln!(reasons, "- ❌ {}", code(&plain::flaw(&flaw))).ok();
    }
    for remark in &run.remarks {
        writeln!(reasons, "- {}", prose(&escaped(remark))).ok();
    }
    if run.filtered {
        reasons.push_str("- only some of the cases were selected\n");
    }
    if let Some(shard) = run.shard {
        writeln!(reasons, "- this is shard {shard}: a share of the cases").ok();
    }
    if !reasons.is_empty() {
        head.push('\n');
        head.push_str(&reasons);
    }
    head
}

/// The verdicts by area and revision.
fn table(run: &Run) -> String {
    let shown = shown(run);
    let mut table = String::from("| Area | Revision |");
    let mut rule = String::from("|---|---|");
    for verdict in &shown {
        write!(table, " {verdict} |").ok();
        rule.push_str("---:|");
    }
    let rows = rows(run);
    let any_known = rows.iter().any(|row| row.known > 0);
    if any_known {
        table.push_str(" known |");
        rule.push_str("---:|");
    }
    writeln!(table, "\n{rule}").ok();
    for row in rows {
        write!(table, "| {} | {} |", row.area, row.revision).ok();
        for verdict in &shown {
            match row.counts.get(*verdict) {
                0 => table.push_str(" · |"),
                count => table += &format!(" {count} |"),
            }
        }
        if any_known {
            write!(table, " {} |", row.known).ok();
        }
        table.push('\n');
    }
    table
}

/// What the baseline knows of, in a line.
fn known_one(finding: &Finding<'_>) -> String {
    let verdict = finding.newest().verdict;
    let (id, revisions) = (code(finding.id()), finding.revisions());
    format!(
        "- {verdict} {id} in {revisions}: {}\n",
        code(&human::reason(finding))
    )
}

fn finding(run: &Run, finding: &Finding<'_>) -> String {
    let newest = finding.newest();
    let clause = &finding.case.clause;
    let body = plain::written(|page| human::shown(page, 0, finding));
    let mut block = format!(
        "#### `{}`: {}\n\nIn {}. [**{}**]({}) {}\n\n{}",
        clause.id,
        prose(clause.title),
        finding.revisions(),
        clause.level_in(newest.revision),
        clause.link(newest.revision).replace(' ', "%20"),
        prose(clause.statement),
        fenced("text", &body),
    );
    if is_broken(newest.verdict) {
        let mend = prose(finding.case.advice.mend);
        write!(block, "\n**To mend:** {mend}\n").ok();
    }
    let command = escaped(run.reproduce(newest));
    write!(block, "\n{}", fenced("sh", &command)).ok();
    block
}

/// A block of code that its text cannot end.
fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat((backticks(text) + 1).max(3));
    format!("{fence}{language}\n{text}\n{fence}\n")
}

/// Code within a line, escaped, that its text cannot end.
fn code(text: &str) -> String {
    let text = escaped(text);
    let mark = "`".repeat(backticks(&text) + 1);
    if text.is_empty() || text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) {
        format!("{mark} {text} {mark}")
    } else {
        format!("{mark}{text}{mark}")
    }
}

fn codes(ids: &[&str]) -> String {
    ids.iter().map(|id| code(id)).collect::<Vec<_>>().join(", ")
}

/// The longest row of backticks.
fn backticks(text: &str) -> usize {
    text.split(|letter| letter != '`')
        .map(str::len)
        .max()
        .unwrap_or_default()
}

/// Words of ours, which have code between backticks and mean no other mark.
fn prose(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at > 0 {
            out.push('`');
        }
        for letter in part.chars() {
            if at % 2 == 0 && "\\*_[]<>#|~&".contains(letter) {
                out.push('\\');
            }
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{code, fenced, prose};

    #[test]
    fn code_is_not_ended_by_its_text() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a `b` ``` c"), "````a `b` ``` c````");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a\n\n# b\u{202e}"), r"`a\n\n# b\u{202e}`");
        assert_eq!(fenced("sh", "a\n````\nb"), "`````sh\na\n````\nb\n`````\n");
    }

    #[test]
    fn words_of_ours_keep_their_code_and_nothing_else() {
        assert_eq!(
            prose("set `PYTHON_X=<y>`, not _meta or <br>"),
            r"set `PYTHON_X=<y>`, not \_meta or \<br\>"
        );
    }
}
