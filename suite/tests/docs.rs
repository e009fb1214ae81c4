//! The pages of `docs/cases` are made from the registry, each case with the violation that its
//! fault really produces. `BLESS=1 cargo test --test docs` writes them; without it drift fails.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod reference;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::PathBuf,
    sync::mpsc,
    thread,
};

use mcp_conform::{
    case::{Case, Nature},
    cases,
    spec::{Revision, Transport},
};

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
    let transport = case.clause.transports[0];
    let options = ["--case", case.clause.id];
    let revision = newest(case, transport);
    let report = reference::report(&[case.clause.fault], transport, &[revision], &options).unwrap();
    let result = &report["results"][0];
    assert_eq!(result["case"], case.clause.id);
    let verdict = result["verdict"].as_str().unwrap();
    assert!(
        ["fail", "warn", "note"].contains(&verdict),
        "{}: {verdict}",
        case.clause.id
    );
    lasting(result["message"].as_str().unwrap())
}

/// A violation without what differs from run to run: places, ports, tokens, times, and whether the
/// end of a server is seen first by who reads or by who writes.
fn lasting(violation: &str) -> String {
    const PASSING: &[(&str, &str)] = &[
        ("at byte [0-9]+", "at byte …"),
        (r"(localhost|invalid|[0-9.]{7,}):[0-9]{4,5}", "$1:…"),
        ("server answers at [0-9.]+:…", "server answers at …:…"),
        ("[0-9a-f]{32}", "…"),
        ("[0-9]+ ms", "… ms"),
        (r"20[0-9]{2}-[0-9-]+T[0-9:.]+[1-9][0-9:.]*Z", "…"),
        ("does not read its stdin: it is closed", "closed its stdout"),
    ];
    PASSING
        .iter()
        .fold(violation.to_owned(), |text, (passing, instead)| {
            let passing = regex::Regex::new(passing).unwrap();
            passing.replace_all(&text, *instead).into_owned()
        })
}

fn newest(case: &Case, transport: Transport) -> Revision {
    let mut all = transport.revisions().iter().copied().rev();
    all.find(|revision| case.clause.applies_in(*revision, transport))
        .unwrap()
}

/// So many runs go side by side: they mostly wait.
const RUNS: usize = 8;

/// What each case says of its fault.
fn violations() -> BTreeMap<&'static str, String> {
    let (sender, receiver) = mpsc::channel();
    let all: Vec<&'static Case> = cases::all().collect();
    thread::scope(|scope| {
        for first in 0..RUNS {
            let (sender, all) = (sender.clone(), &all);
            scope.spawn(move || {
                for case in all.iter().skip(first).step_by(RUNS) {
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
            clause.binding(),
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
        root.join("CONTRIBUTING.md"),
        root.join("schemas/README.md"),
        root.join("packaging/README.md"),
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

#[test]
fn cases_that_documents_name_are_there() {
    let areas: BTreeSet<&str> = cases::all().map(|case| case.clause.area()).collect();
    let mut looked_at = 0;
    for entry in fs::read_dir(docs()).unwrap() {
        let page = entry.unwrap().path();
        // The example there is a case that one would add; the other page names clauses without one.
        let apart = ["adding-a-case.md", "coverage.md"];
        if page.extension().is_none_or(|ending| ending != "md")
            || apart.iter().any(|name| page.ends_with(name))
        {
            continue;
        }
        let text = fs::read_to_string(&page).unwrap();
        for id in text.split('`').filter(|id| {
            let letters = |text: &str| {
                text.bytes()
                    .all(|letter| letter.is_ascii_lowercase() || letter == b'-')
            };
            id.split_once('/').is_some_and(|(area, slug)| {
                areas.contains(area) && !slug.is_empty() && letters(slug)
            })
        }) {
            looked_at += 1;
            assert!(
                cases::find(id).is_some(),
                "{}: there is no case {id}",
                page.display()
            );
        }
    }
    assert!(looked_at > 20, "only {looked_at} cases were looked at");
}

/// How many clauses of an area hold in a revision, and how they are judged.
#[derive(Default)]
struct Coverage {
    probes: usize,
    rules: usize,
    both: usize,
    unseen: usize,
    clients: usize,
}

impl Coverage {
    fn of(area: &str, revision: Revision) -> Coverage {
        let mut coverage = Coverage::default();
        for case in cases::all() {
            if case.clause.area() == area && case.clause.holds_in(revision) {
                match case.nature() {
                    Nature::Probe => coverage.probes += 1,
                    Nature::Rule => coverage.rules += 1,
                    Nature::Both => coverage.both += 1,
                }
            }
        }
        for clause in cases::unjudged() {
            if clause.area() == area && clause.holds_in(revision) {
                match clause.unseen {
                    Some(_) => coverage.unseen += 1,
                    None => coverage.clients += 1,
                }
            }
        }
        coverage
    }

    fn all(&self) -> usize {
        self.judged() + self.unseen + self.clients
    }

    fn judged(&self) -> usize {
        self.probes + self.rules + self.both
    }
}

fn coverage() -> String {
    let mut page = "<!-- Made from the registry by `BLESS=1 cargo test --test docs`. -->\n\n\
        # Coverage\n\n\
        Every clause of the specification that binds one side and is worth a verdict, in the areas that\n\
        this version has: how many there are, and how a run comes to its verdict on them. A *probe* does\n\
        something and looks at what comes back; a *rule* reads all that is said, and is what `validate`\n\
        uses; some clauses have both. A clause is *unseen* where no run can tell, and *the client's* where\n\
        it binds the other side, which this suite does not judge.\n\n\
        The revision 2026-07-28 is not judged yet; its column counts the clauses that go on in it.\n\n\
        | area | revision | clauses | judged | probe | rule | both | unseen | the client's |\n\
        |---|---|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    let mut areas: Vec<&str> = cases::all().map(|case| case.clause.area()).collect();
    areas.dedup();
    for area in &areas {
        for revision in Revision::ALL {
            let of = Coverage::of(area, revision);
            if of.all() == 0 {
                continue;
            }
            writeln!(
                page,
                "| {area} | {revision} | {} | {} | {} | {} | {} | {} | {} |",
                of.all(),
                of.judged(),
                of.probes,
                of.rules,
                of.both,
                of.unseen,
                of.clients,
            )
            .unwrap();
        }
    }
    page += "\n## Unseen\n\nNo run can tell whether these are kept, for the reason that stands with them.\n\n";
    for clause in cases::unjudged() {
        if let Some(reason) = clause.unseen {
            writeln!(page, "- `{}`: {}. {reason}", clause.id, clause.title).unwrap();
        }
    }
    page += "\n## The client's\n\nThese bind clients.\n\n";
    for clause in cases::unjudged().filter(|clause| clause.unseen.is_none()) {
        writeln!(page, "- `{}`: {}.", clause.id, clause.title).unwrap();
    }
    page
}

#[test]
fn the_coverage_table_says_what_is_judged() {
    check("coverage.md", &coverage());
}
