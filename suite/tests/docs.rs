//! The pages of `docs/cases` are made from the registry, each case with the violation that its
//! fault really produces. `BLESS=1 cargo test --test docs` writes them; without it drift fails.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeMap, fmt::Write, fs, path::PathBuf, process::Command, sync::mpsc, thread,
};

use mcp_conform::{case::Case, cases, spec::Revision};
use serde_json::Value;

const TOOL: &str = env!("CARGO_BIN_EXE_mcp-conform");

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Holds a page against what it should say, or writes it.
fn check(path: &str, expected: &str) {
    let file = docs().join(path);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, expected).unwrap();
        return;
    }
    let actual = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        actual == expected,
        "docs/{path} is not what the registry says; `BLESS=1 cargo test --test docs` writes it\n{}",
        similar::TextDiff::from_lines(actual.as_str(), expected)
            .unified_diff()
            .context_radius(2)
    );
}

/// What the case says of its own fault, judged alone in the newest revision in which it holds.
fn violation(case: &Case) -> String {
    let revision = newest(case);
    let output = Command::new(TOOL)
        .args([
            "stdio",
            "--format",
            "json",
            "--fail-on",
            "never",
            "--timeout",
            "3",
        ])
        .args(["--case", case.clause.id, "--revision", revision.as_str()])
        .args(["--", TOOL, "mock", "stdio", "--fault", case.clause.fault])
        .env_remove("GITHUB_STEP_SUMMARY")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let result = &report["results"][0];
    assert_eq!(result["case"], case.clause.id);
    let verdict = result["verdict"].as_str().unwrap();
    assert!(
        ["fail", "warn", "note"].contains(&verdict),
        "{}: {verdict}",
        case.clause.id
    );
    without_offset(result["message"].as_str().unwrap())
}

/// Where in the stream something stood depends on what other cases have said.
fn without_offset(message: &str) -> String {
    match message.split_once(", at byte ") {
        None => message.to_owned(),
        Some((before, rest)) => {
            let after = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
            format!("{before}, at byte …{after}")
        }
    }
}

fn newest(case: &Case) -> Revision {
    Revision::WITH_HANDSHAKE
        .into_iter()
        .rfind(|revision| case.clause.holds_in(*revision))
        .unwrap()
}

/// What each case says of its fault: two processes at a time, in the order of the registry.
fn violations() -> BTreeMap<&'static str, String> {
    let (sender, receiver) = mpsc::channel();
    let all: Vec<&'static Case> = cases::all().collect();
    thread::scope(|scope| {
        for half in 0..2 {
            let (sender, all) = (sender.clone(), &all);
            scope.spawn(move || {
                for case in all.iter().skip(half).step_by(2) {
                    sender.send((case.clause.id, violation(case))).unwrap();
                }
            });
        }
    });
    drop(sender);
    receiver.into_iter().collect()
}

fn page(area: &str, violations: &BTreeMap<&str, String>) -> String {
    let mut page = format!(
        "<!-- Made from the registry by `BLESS=1 cargo test --test docs`. -->\n\n# Cases: {area}\n"
    );
    for case in cases::all().filter(|case| case.clause.area() == area) {
        let (clause, advice) = (&case.clause, &case.advice);
        let revisions: Vec<_> = clause
            .revisions()
            .map(|revision| {
                format!(
                    "[{revision}]({})",
                    clause.link(revision).replace(' ', "%20")
                )
            })
            .collect();
        let transports: Vec<_> = clause.transports.iter().map(ToString::to_string).collect();
        write!(
            page,
            "\n## {}\n\n**{}.** {}\n\n\
             {} · {} · {} · {}\n\n\
             **Why it matters.** {}\n\n**How it is judged.** {}\n\n**How to mend it.** {}\n\n\
             **What it says of the fault `{}`:**\n\n```text\n{}\n```\n",
            clause.id,
            clause.title,
            clause.statement,
            clause.level,
            case.nature().as_str(),
            transports.join(", "),
            revisions.join(" · "),
            advice.why,
            advice.how,
            advice.mend,
            clause.fault,
            violations[clause.id],
        )
        .unwrap();
    }
    page
}

#[test]
fn the_pages_of_the_cases_say_what_the_registry_says() {
    let violations = violations();
    let mut areas: Vec<_> = cases::all().map(|case| case.clause.area()).collect();
    areas.dedup();
    let mut index = String::from(
        "<!-- Made from the registry by `BLESS=1 cargo test --test docs`. -->\n\n# Cases\n\n\
         | area | cases |\n|---|---:|\n",
    );
    for area in areas {
        let count = cases::all()
            .filter(|case| case.clause.area() == area)
            .count();
        writeln!(index, "| [{area}]({area}.md) | {count} |").unwrap();
        check(&format!("cases/{area}.md"), &page(area, &violations));
    }
    check("cases/README.md", &index);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let root = docs().join("..");
    let mut pages = vec![
        root.join("README.md"),
        root.join("CHANGELOG.md"),
        root.join("schemas/README.md"),
    ];
    for folder in [docs(), docs().join("cases")] {
        pages.extend(
            fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path()),
        );
    }
    let mut looked_at = 0;
    for page in pages
        .iter()
        .filter(|page| page.extension().is_some_and(|ending| ending == "md"))
    {
        let text = fs::read_to_string(page).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let path = link.split('#').next().unwrap();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            looked_at += 1;
            let target = page.parent().unwrap().join(path);
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
        }
    }
    assert!(looked_at > 5, "only {looked_at} links were looked at");
}
