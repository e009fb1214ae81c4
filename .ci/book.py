"""Follows every link of the built book: within it, and out of it into the repository."""

import html.parser
import pathlib
import sys
import urllib.parse

BOOK = pathlib.Path("target/book").resolve()
DOCS = pathlib.Path("docs").resolve()


class Page(html.parser.HTMLParser):
    """The links of a page, and what can be linked to in it."""

    def __init__(self, path):
        super().__init__()
        self.links, self.ids = [], set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])


pages = {path: Page(path) for path in BOOK.rglob("*.html")}
broken, followed = [], 0
for path, page in pages.items():
    # Its links are those of the other pages, and seen from the top.
    if path.name in ("print.html", "toc.html", "404.html"):
        continue
    for link in page.links:
        url = urllib.parse.urlsplit(link)
        if url.scheme:
            continue
        followed += 1
        there = (path.parent / urllib.parse.unquote(url.path)).resolve() if url.path else path
        if not there.is_relative_to(BOOK):
            # It leads out of the book: from the page that this one was made of.
            there = (DOCS / path.parent.relative_to(BOOK) / url.path).resolve()
            found = there.exists()
        else:
            there = there / "index.html" if there.is_dir() else there
            found = there.exists() and (not url.fragment or url.fragment in pages[there].ids)
        if not found:
            broken.append(f"{path.relative_to(BOOK)}: {link}")
print(f"{len(pages)} pages of the book, {followed} links followed")
sys.exit("\n".join(broken) or None)
