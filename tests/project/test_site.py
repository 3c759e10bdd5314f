"""The documents as a site: it builds strictly, its links lead somewhere, and nothing is loaded from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest
from places import DOCS, ROOT, TRACES

from cutproof.model.cutover.safeguards import SAFEGUARDS

LOADED = re.compile(r'<(?:script|img|iframe|link rel="stylesheet")[^>]*? (?:src|href)="?(https?:[^" >]+)')
HREF = re.compile(r'<a [^>]*?href="?([^" >]+)')
IDS = re.compile(r'\bid="?([^" >]+)')


def links() -> ModuleType:
    """docs/site/links.py, which MkDocs imports by its path."""
    spec = importlib.util.spec_from_file_location("site_links", DOCS / "site" / "links.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


def dead(pages: dict[str, str], folder: Path) -> list[str]:
    """Links between pages (their texts by their paths) that lead to no file of the folder, or to no place in it."""
    found, ids = [], {page: set(IDS.findall(text)) for page, text in pages.items()}
    for page, text in pages.items():
        for link in map(unquote, HREF.findall(text)):
            name, _, place = link.partition("#")
            if re.match(r"[a-z]+:", link):
                continue
            to = os.path.normpath(os.path.join(os.path.dirname(page), name)) if name else page
            if not (folder / to).exists() or (place and to in ids and place not in ids[to]):
                found.append(f"{page}: {link}")
    return found


def test_every_link_of_the_site_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = {p.relative_to(site).as_posix(): p.read_text("utf-8") for p in site.rglob("*.html")}
    del pages["404.html"]  # its links start at the root of a host
    assert dead(pages, site) == []
    assert {url for text in pages.values() for url in LOADED.findall(text)} == set()
    expected = {f"reference/safeguards/{name}.html" for name in SAFEGUARDS}
    expected |= {f"traces/{p.name.removesuffix('.itf.json')}.html" for p in TRACES.glob("*.itf.json")}
    expected |= {
        p.relative_to(DOCS).with_suffix(".html").as_posix()
        for p in DOCS.rglob("*.md")
        if p.name != "README.md"
    }
    expected |= {f"views/{p.name.removesuffix('.itf.json')}.html" for p in TRACES.glob("*.itf.json")}
    assert expected - pages.keys() == set()
    for name in SAFEGUARDS:  # each with its picture
        assert "views/" in pages[f"reference/safeguards/{name}.html"]
    assert "explore" in pages["reference/commands.html"] and "class" in pages["reference/python.html"]


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("")
    pages = {"a.html": '<h1 id="top"></h1><a href="#top"></a><a href="#no"></a><a href="b.html"></a>'}
    assert dead(pages, tmp_path) == ["a.html: #no", "a.html: b.html"]
    assert LOADED.findall('<script async src="https://example.org/x.js">') == ["https://example.org/x.js"]


def test_links_out_of_the_documents_lead_to_pages_of_the_site() -> None:
    there = {"a.md", "guides/b.md", "source/impl/cluster.py.md", "traces/x.md", "CONTRIBUTING.md"}
    text = "[c](../../impl/cluster.py) [t](../../traces/x.itf.json) [m](../../CONTRIBUTING.md#h) [n](no.md)"
    said = "[c](../source/impl/cluster.py.md) [t](../traces/x.md) [m](../CONTRIBUTING.md#h) [n](no.md)"
    assert links().rewritten(text, "guides/b.md", there) == said
    fenced = "```\n[c](../../impl/cluster.py)\n```\n"
    assert links().rewritten(fenced, "guides/b.md", there) == fenced


def test_a_file_with_fences_is_shown_whole(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text('"""\n````\n"""\n')
    assert links()._shown(tmp_path / "f.py", "f.py").count("`````") == 2
