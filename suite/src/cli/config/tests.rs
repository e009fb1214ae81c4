use std::{collections::BTreeSet, env, fs, path::PathBuf};

use serde_json::Value as Json;

use super::{Config, FileArgs, expand::expanded, keys};
use crate::cli::Failure;

/// A file that need not be there, in a folder that is.
fn path() -> PathBuf {
    let folder = env::temp_dir().join("mcp-conform-config-tests");
    fs::create_dir_all(&folder).unwrap();
    folder.join("mcp-conform.toml")
}

/// What the tool finds wrong with a file, all its targets prepared.
fn parser(text: &str) -> Result<(), String> {
    let said = |failure: Failure| format!("{:#}", failure.parts().0);
    let config = Config::read(&path(), text.to_owned()).map_err(|error| error.to_string())?;
    if config.targets.is_empty() {
        return Ok(());
    }
    for target in config.chosen(&[]).map_err(said)? {
        config.prepare(target, &FileArgs::default()).map_err(said)?;
    }
    Ok(())
}

fn schema() -> Json {
    serde_json::from_str(schemas::CONFIG).unwrap()
}

/// Whether editors find nothing wrong with a file.
fn editor(text: &str) -> bool {
    let value: toml::Value = toml::from_str(text).unwrap();
    let value = serde_json::to_value(value).unwrap();
    jsonschema::validator_for(&schema())
        .unwrap()
        .is_valid(&value)
}

const STDIO: &str = "[targets.a]\ntransport = \"stdio\"\ncommand = [\"server\"]\n";
const HTTP: &str = "[targets.a]\ntransport = \"http\"\nurl = \"http://127.0.0.1:3000/mcp\"\n";

#[test]
fn the_schema_has_the_options_of_the_command_line() {
    let schema = schema();
    let names =
        |value: &Json| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };
    let options = || keys::keys().iter().filter(|key| key.is_for_files());
    let known: BTreeSet<String> = options().map(|key| key.name.clone()).collect();
    let with = |more: &[&str]| -> BTreeSet<String> {
        known
            .iter()
            .cloned()
            .chain(more.iter().map(|name| (*name).to_owned()))
            .collect()
    };
    assert_eq!(names(&schema["properties"]), with(&["targets"]));
    let target = &schema["definitions"]["target"];
    assert_eq!(
        names(&target["properties"]),
        with(&["transport", "command", "url"])
    );
    let of_http: BTreeSet<String> = options()
        .filter(|key| !key.transports.contains(&"stdio"))
        .map(|key| key.name.clone())
        .chain(["url".to_owned()])
        .collect();
    assert_eq!(names(&target["then"]["properties"]), of_http);
    for key in options() {
        let described = &schema["definitions"][&key.name]["description"];
        assert!(described.is_string(), "{}", key.name);
    }
}

#[rustfmt::skip]
const RIGHT: &[(&str, &str)] = &[
    (STDIO, ""),
    (HTTP, ""),
    (STDIO, "revision = \"2025-11-25\"\ncase = [\"stdio/*\"]\nskip = \"stdio/stdout-*\""),
    (STDIO, "timeout = 5\nlong-wait = 0.5\njobs = 2\nfail-on = \"should\"\nshard = \"1/4\""),
    (STDIO, "tools = \"none\"\ncall.echo = { message = \"hi\", times = 2 }\ncall.reset = true"),
    (STDIO, "format = \"json\"\ncolor = \"never\"\nquiet = true\nverbose = false"),
    (STDIO, "report = { json = \"{target}.json\", junit = [\"a.xml\", \"b.xml\"] }\nbadge = \"a.svg\""),
    (STDIO, "badge = [\"a.json\", \"b.SVG\"]\ntranscript = \"tape.jsonl\"\ncwd = \".\""),
    (STDIO, "env = { A = \"b\", EMPTY = \"\" }\nrevision = []"),
    (HTTP, "header = { Authorization = \"Bearer x\" }\ninsecure = true"),
    (HTTP, "cacert = \"ca.pem\"\ninsecure = false"),
    (HTTP, "command = [\"server\"]\nenv = { A = \"b\" }\ncwd = \".\""),
];

#[rustfmt::skip]
const WRONG: &[(&str, &str, &str)] = &[
    (STDIO, "tmeout = 5", "4:1: unknown key `tmeout`; did you mean `timeout`?"),
    (STDIO, "fail_on = \"must\"", "4:1: unknown key `fail_on`; did you mean `fail-on`?"),
    (STDIO, "  timeout = \"5\"", "4:13: `timeout` must be a number, but is of type string; write it as in `timeout = 10`"),
    (STDIO, "timeout = 0", "4:11: `timeout`: give a number of seconds from 0.1 to 3600"),
    (STDIO, "long-wait = 100", "from 0.1 to 90"),
    (STDIO, "jobs = 0", "4:8: `jobs`: "),
    (STDIO, "jobs = 1.5", "4:8: `jobs`: "),
    (STDIO, "tools = \"some\"", "4:9: `tools`: there is no `some`; there are none, read-only, all"),
    (STDIO, "tools = [\"none\"]", "`tools` must be a string, but is of type array"),
    (STDIO, "fail-on = \"shoud\"", "4:11: `fail-on`: there is no `shoud` (did you mean `should`?); there are must"),
    (STDIO, "revision = \"2023-01-01\"", "4:12: `revision`: "),
    (STDIO, "revision = [2025]", "4:13: `revision` must be a string"),
    (STDIO, "call.echo = \"hi\"", "`echo` must be a table of arguments, or `true`"),
    (STDIO, "call.echo = false", "`echo` must be a table of arguments, or `true`"),
    (STDIO, "report = \"json=a\"", "write it as in `report = { json = \"{target}.json\" }`"),
    (STDIO, "report = { xml = \"a\" }", "there is no format `xml`"),
    (STDIO, "badge = \"a.png\"", "4:9: `badge`: give a path that ends in .svg or .json"),
    (STDIO, "quiet = \"yes\"", "`quiet` must be `true` or `false`, but is of type string"),
    (STDIO, "quiet = true\nverbose = true", "cannot be used with"),
    (STDIO, "baseline = \"\"", "4:12: `baseline`: "),
    (STDIO, "case = \"\"", "4:8: target `a`: --case : no case has such an id"),
    (STDIO, "env = [\"A=b\"]", "`env` must be a table"),
    (STDIO, "env = { \"\" = \"b\" }", "give NAME=VALUE"),
    (STDIO, "env.A = 1", "`A` must be a string"),
    (STDIO, "url = \"http://127.0.0.1/\"", "4:1: `url` is for http and sse; this target is stdio"),
    (STDIO, "header = { A = \"b\" }", "4:1: `header` is for http, sse; this target is stdio"),
    (STDIO, "update-baseline = true", "`update-baseline` is for the command line only"),
    (STDIO, "config = \"a\"", "`config` is for the command line only"),
    (HTTP, "env = { A = \"b\" }", "4:13: `env` is for a command; add `command`, or remove it"),
    (HTTP, "cwd = \".\"", "`cwd` is for a command"),
    (HTTP, "header = { \" \" = \"b\" }", "give NAME: VALUE"),
    (HTTP, "insecure = true\ncacert = \"ca.pem\"", "cannot be used with"),
    (HTTP, "command = \"server\"", "`command` must be an array of strings"),
    (HTTP, "command = [\"\"]", "the command is empty"),
    ("timeout = 5\ncommand = [\"server\"]\n", "", "2:1: `command` belongs to a target; put it below a line `[targets.NAME]`"),
    ("target.a = 1\n", "", "did you mean `targets`?"),
    ("[[known]]\ncase = \"stdio/*\"\n", "", "1:3: this is a baseline"),
    ("[targets.a]\n", "", "1:10: the target `a` lacks `transport`; add one of stdio, http, sse"),
    ("[targets.a]\ntransport = \"studio\"\n", "", "2:13: there is no transport `studio`; did you mean `stdio`?"),
    ("[targets.a]\ntransport = \"stdio\"\n", "", "lacks `command`, as in"),
    ("[targets.a]\ntransport = \"sse\"\n", "", "lacks `url`, as in"),
    ("[targets.a]\ntransport = \"http\"\nurl = \"ftp://x/\"\n", "", "3:7: target `a`: ftp://x/: that is no address of a server"),
    ("[targets.a]\ntransport = \"http\"\nurl = \"-q\"\n", "", "3:7: `-q` is no address of a server"),
    ("[targets.\"a/b\"]\ntransport = \"stdio\"\ncommand = [\"x\"]\n", "", "`a/b` is no name of a target"),
    ("targets = []\n", "", "`targets` must be a table"),
];

#[test]
fn the_schema_and_the_parser_accept_the_same() {
    for (target, options) in RIGHT {
        let text = format!("{target}{options}\n");
        assert_eq!(parser(&text), Ok(()), "{text}");
        assert!(editor(&text), "{text}");
    }
    // The same options at the top.
    for (target, options) in RIGHT {
        let text = format!("{}\n{target}", options.replace("command =", "# command ="));
        assert_eq!(parser(&text), Ok(()), "{text}");
        assert!(editor(&text), "{text}");
    }
}

#[test]
fn the_schema_and_the_parser_refuse_the_same_and_the_place_is_told() {
    for (target, options, words) in WRONG {
        let text = format!("{target}{options}\n");
        let said = parser(&text).expect_err(&text);
        let place = format!("{}:", path().display());
        assert!(said.starts_with(&place), "{text}: {said}");
        assert!(said.contains(words), "{text}: {said}");
        assert!(!editor(&text), "{text}");
    }
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    let said = parser("timeout = 5\n# ü\nübel = = 1\n").unwrap_err();
    assert!(said.contains(".toml:3:"), "{said}");
    let said = parser("timeout = 1\ntimeout = 2\n").unwrap_err();
    assert!(
        said.contains(".toml:2:1: this is no TOML: duplicate key"),
        "{said}"
    );
}

#[test]
fn variables_are_replaced_and_told_if_they_are_none() {
    let known = |name: &str| (name == "TOKEN").then(|| "s3cret".to_owned());
    for (text, expected) in [
        ("Bearer ${TOKEN}", Ok("Bearer s3cret")),
        ("${TOKEN}${TOKEN}", Ok("s3crets3cret")),
        ("$TOKEN $${TOKEN} $", Ok("$TOKEN ${TOKEN} $")),
        ("${NONE}", Err("`NONE` is not set; set it before the run")),
        ("${TOKEN", Err("has no end")),
        ("${}", Err("names no environment variable")),
        ("${A B}", Err("names no environment variable")),
    ] {
        match (expanded(text, known), expected) {
            (Ok(text), Ok(expected)) => assert_eq!(text, expected),
            (Err(said), Err(words)) => assert!(said.contains(words), "{said}"),
            (outcome, _) => panic!("{text}: {outcome:?}"),
        }
    }
}
