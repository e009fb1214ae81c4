use mcp_conform::{
    report::{Format, html::Html},
    run::{Run, Shard, Unreadable, Verdict},
    spec::Transport,
};

use crate::sample::{HOSTILE, file, hostile, known, small, stable};

fn page(run: &Run) -> String {
    let mut out = Vec::new();
    Html.write(run, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The page without its style and script, which are files of their own.
fn body(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let (rest, _) = rest.rsplit_once("<script>").unwrap();
    let policy = head.find("<meta http-equiv").unwrap();
    let end = policy + head[policy..].find('\n').unwrap();
    stable(&format!("{}{}{rest}", &head[..policy], &head[end + 1..]))
}

#[test]
fn a_page_shows_every_verdict() {
    insta::assert_snapshot!("page", body(&page(&hostile())));
}

/// `.ci/html` puts these pages before a validator and into a browser.
#[test]
fn the_pages_for_the_browser_are_written() {
    let mut cut = small(&[("stdio/stdout-utf8", Verdict::Unverified)]);
    cut.finished = false;
    cut.filtered = true;
    cut.shard = Shard::new(1, 4);
    cut.server = None;
    let passed = small(&[("stdio/stdout-utf8", Verdict::Pass)]);
    for (name, run, verdict) in [
        (
            "every-verdict.html",
            hostile(),
            "✗</span> Does not conform to",
        ),
        ("known.html", known(), "✗</span> Does not conform to"),
        ("passed.html", passed, "✓</span> Conforms to"),
        ("empty.html", small(&[]), "?</span> Nothing found broken"),
        ("cut-short.html", cut, "?</span> Nothing found broken"),
    ] {
        let page = page(&run);
        assert!(page.contains(verdict), "{name}");
        std::fs::write(file(name), page).unwrap();
    }
}

/// What a tag of the page may be; everything else stands for text that became markup.
#[test]
fn nothing_that_the_server_said_is_markup() {
    let page = page(&hostile());
    let tags: Vec<&str> = page.split('<').skip(1).collect();
    let opened = |name: &str| {
        let named = |tag: &&&str| {
            tag.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(['>', ' ']))
        };
        tags.iter().filter(named).count()
    };
    assert_eq!(opened("script"), 1);
    assert_eq!(opened("/script"), 1);
    assert_eq!(opened("style"), 1);
    assert!(!page.contains("onload='") && !page.contains("onload=\""));
    assert!(page.contains("onload=&#39;x&#39;"));
    let mover = page.find(|letter: char| {
        (letter.is_control() && letter != '\n') || matches!(letter, '\u{202a}'..='\u{202e}')
    });
    assert_eq!(mover, None);
}

#[test]
fn the_page_asks_nothing_of_a_network_and_allows_only_its_own_script() {
    let page = page(&hostile());
    assert!(page.contains("content=\"default-src 'none'; style-src 'sha256-"));
    assert!(!page.contains("'unsafe-inline'"));
    for attribute in [
        " src=", " srcset=", "@import", "url(", "<link", "<iframe", " style=",
    ] {
        assert!(!page.contains(attribute), "{attribute}");
    }
    // Only links to sections of the specification lead out of the page.
    for link in page.split("href=\"").skip(1) {
        let own = link.starts_with('#');
        assert!(
            own || link.starts_with("https://modelcontextprotocol.io/"),
            "{link}"
        );
    }
}

#[test]
fn what_is_known_has_a_chapter_of_its_own() {
    let page = page(&known());
    let chapter = |id: &str| {
        let (_, rest) = page.split_once(&format!("<section id=\"{id}\"")).unwrap();
        rest.split_once("</section>").unwrap().0
    };
    let (failures, known) = (chapter("failures"), chapter("known"));
    assert!(!failures.contains("stdio/stdout-no-ansi"), "{failures}");
    assert!(known.contains("id=\"known-1/fail/stdio/stdout-no-ansi\""));
    assert!(known.contains("id=\"known-2/fail/stdio/stdout-no-ansi\""));
    assert!(known.contains("<strong>Known:</strong> the logger colours"));
    // It is there to be looked up, not to be mended first.
    assert!(!known.contains(" open>"), "{known}");
    // An entry that holds no longer is what is wrong with the run.
    assert!(page.contains("<p class=\"caution\">conform.toml, line 11: "));
}

#[test]
fn the_page_says_what_was_opened_and_what_could_not_be_read() {
    let mut run = small(&[("stdio/stdout-utf8", Verdict::Pass)]);
    assert!(page(&run).contains("4.3 s, 3 processes started"));
    run.transport = Transport::StreamableHttp;
    assert!(page(&run).contains("4.3 s, 3 sessions opened"));
    run.processes = 0;
    run.unreadable = vec![Unreadable {
        file: "tape.jsonl".into(),
        line: 7,
        reason: "it is no JSON".into(),
        text: HOSTILE.into(),
    }];
    let page = page(&run);
    assert!(page.contains("<dt>Took</dt><dd>4.3 s</dd>"), "{page}");
    assert!(page.contains("<dt>Recording</dt>"));
    assert!(page.contains("<p class=\"caution\">tape.jsonl, line 7: it is no JSON: `&lt;/script"));
}

#[test]
fn every_link_within_the_page_leads_somewhere() {
    links(&page(&hostile()));
    links(&page(&known()));
}

fn links(page: &str) {
    let ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "an id is used twice");
    let mut links = 0;
    for link in page.split("href=\"#").skip(1) {
        let target = link.split('"').next().unwrap();
        assert!(ids.contains(&target), "#{target}");
        links += 1;
    }
    assert!(links > 15, "{links}");
}
