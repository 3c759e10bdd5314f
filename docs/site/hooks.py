"""What MkDocs asks of us while it builds the site: pages that are made from the code, and links that leave docs/.

A document links to what is beside docs/: the code, traces, CONTRIBUTING. On a host of repositories these links lead to
the files; the site has a page for each file that is linked to, so that it can be read whole from a disk.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import links
import pages
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent.parent


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages, then a page for every file of the project that any page links to."""
    made = dict(pages.generated(ROOT))
    kept = [f for f in files if not f.inclusion.is_excluded()]
    texts = {f.src_uri: f.content_string for f in kept if f.is_documentation_page()}
    texts |= {uri: text for uri, text in made.items() if uri.endswith(".md")}
    there = {f.src_uri for f in kept} | made.keys()
    made |= links.pages_of_files(texts, there, ROOT)
    for uri, content in sorted(made.items()):
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links out of docs/ lead to their page; comments that only tests read are left out."""
    return links.rewritten(
        markdown, page.file.src_uri, {f.src_uri for f in files if not f.inclusion.is_excluded()}
    )
