"""Reports in the formats that Python's packages know: `formats.py FILES TOOLS`."""

import json
import re
import sys
from pathlib import Path

import cmarkgfm
import jsonschema
import yaml
from cmarkgfm.cmark import Options
from lxml import etree, html

files, tools = Path(sys.argv[1]), Path(sys.argv[2])
# Parts of the hostile text of the tests; in Markdown they may stand in code only.
HOSTILE = ["owned", "@everyone", "onerror", "Bail out", "\\ud800"]


def all_of(suffix):
    found = sorted(files.glob(f"*.{suffix}"))
    assert found, f"there are no reports .{suffix}"
    return found


def junit():
    schema = tools / "junit-10.xsd"
    if not schema.exists():
        return
    schema = etree.XMLSchema(etree.parse(schema))
    for path in all_of("junit"):
        schema.assertValid(etree.parse(path))
    print(f"the schema of Jenkins accepts {len(all_of('junit'))} reports")


def sarif():
    schema = tools / "sarif-2.1.0.json"
    if not schema.exists():
        return
    schema = json.loads(schema.read_text())
    validator = jsonschema.validators.validator_for(schema)
    validator = validator(schema, format_checker=validator.FORMAT_CHECKER)
    for path in all_of("sarif"):
        errors = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(json.loads(path.read_text()))]
        assert not errors, f"{path}: {errors}"
    print(f"the schema of SARIF accepts {len(all_of('sarif'))} reports")


def tap():
    blocks = 0
    for path in all_of("tap"):
        for block in re.findall(r"^  ---\n(.*?)^  \.\.\.$", path.read_text(), re.S | re.M):
            assert isinstance(yaml.safe_load(block), dict), f"{path}: {block}"
            blocks += 1
    assert blocks > 0
    print(f"{blocks} blocks of YAML can be read")


def markdown():
    for path in all_of("markdown"):
        text = cmarkgfm.github_flavored_markdown_to_html(path.read_text(), Options.CMARK_OPT_UNSAFE)
        page = html.fromstring(f"<div>{text}</div>")
        tags = {element.tag for element in page.iter()}
        assert not tags & {"img", "script"}, f"{path}: {tags}"
        links = [link.get("href") for link in page.iter("a")]
        assert all(link.startswith("https://modelcontextprotocol.io/") for link in links), f"{path}: {links}"
        for code in [*page.iter("pre"), *page.iter("code")]:
            code.clear(keep_tail=True)
        rest = page.text_content()
        assert not any(part in rest for part in HOSTILE), f"{path}: {rest}"
    print(f"{len(all_of('markdown'))} summaries hold the server's text in code only")


for check in [junit, sarif, tap, markdown]:
    check()
