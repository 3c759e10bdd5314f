"""Links that leave docs/, or lead to a file that is no page: each gets a page of the site.

Everything here works on texts: `src_uri` is the path of a page below docs/, with slashes.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from cutproof.checks.traces.stored import ENDING

LINK = re.compile(r"(?<=\]\()([^)\s#]+)(#[^)\s]*)?(?=\))")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LANGUAGES = {".py": "python", ".js": "javascript", ".go": "go", ".rs": "rust", ".toml": "toml", ".json": "json",
             ".jsonl": "text", ".sh": "bash", ".yml": "yaml", ".yaml": "yaml", ".csv": "text"}  # fmt: skip
LONGEST = 60_000  # characters of a file that are shown
HOME = {"CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}


def target(link: str, src_uri: str) -> str | None:
    """Where a relative link leads, from the root of the project; None for one that is not relative."""
    if re.match(r"[a-z]+:|/|#", link):
        return None
    return posixpath.normpath(posixpath.join("docs", posixpath.dirname(src_uri), link))


def page_of(place: str) -> str:
    """The page (its `src_uri`) that shows a file or folder of the project."""
    if place in HOME:
        return HOME[place]
    if place.startswith("traces/") and place.endswith(ENDING):
        return f"{place.removesuffix(ENDING)}.md"
    return f"source/{place.removesuffix('/')}.md"


def leaving(text: str, src_uri: str, there: Container[str]) -> Iterator[str]:
    """The files and folders that a page links to and the site has no page of, from the root of the project."""
    for match in LINK.finditer(FENCE.sub("", text)):
        place = target(match[1], src_uri)
        if place is not None and not (place.startswith("docs/") and place.removeprefix("docs/") in there):
            yield place


def pages_of_files(texts: Mapping[str, str], there: Container[str], root: Path) -> dict[str, str]:
    """A page for each file that these pages link to, and for what those pages link to. A link to nothing is left as
    it is: MkDocs tells of it."""
    made = {page: _moved((root / place).read_text("utf-8"), page) for place, page in HOME.items()}
    for uri, text in [*texts.items(), *made.items()]:
        for place in leaving(text, uri, there):
            page = page_of(place)
            if page not in made and page not in there and (root / place).exists():
                made[page] = _shown(root / place, place)
    return made


def _shown(file: Path, place: str) -> str:
    if file.is_dir():
        names = sorted(p.name + "/" * p.is_dir() for p in file.iterdir() if p.name[0] not in "._")
        return f"# {place}\n\n" + "\n".join(f"- `{name}`" for name in names) + "\n"
    text = file.read_text("utf-8")
    more = ""
    if len(text) > LONGEST:
        text, more = text[:LONGEST].rpartition("\n")[0], "\n\n*The file goes on: this is its beginning.*\n"
    fence = "`" * (1 + max([2, *(len(run) for run in re.findall(r"`+", text))]))
    return f"# {place}\n\n{fence}{LANGUAGES.get(file.suffix, 'text')}\n{text.rstrip()}\n{fence}\n{more}"


def _moved(text: str, page: str) -> str:
    """A document of the root, as a page below docs/: its links start elsewhere."""
    up = "../" * (page.count("/") + 1)
    return LINK.sub(lambda m: m[0] if target(m[1], "x.md") is None else f"{up}{m[1]}{m[2] or ''}", text)


def rewritten(text: str, src_uri: str, there: Container[str]) -> str:
    """The text with links to the pages of the site; fenced blocks are left alone."""

    def link(match: re.Match[str]) -> str:
        place = target(match[1], src_uri)
        if place is None:
            return match[0]
        inside = place.removeprefix("docs/") if place.startswith("docs/") else ""
        page = inside if inside in there else page_of(place)
        if page not in there:
            return match[0]
        has_anchors = page == inside or page in HOME.values()
        return posixpath.relpath(page, posixpath.dirname(src_uri) or ".") + (match[2] or "") * has_anchors

    parts, last = [], 0
    for block in FENCE.finditer(text):
        parts += [LINK.sub(link, text[last : block.start()]), block[0]]
        last = block.end()
    parts.append(LINK.sub(link, text[last:]))
    return "".join(parts)
