"""Where things are: the root of the project, its documents, its traces."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS, TRACES, TESTS = ROOT / "docs", ROOT / "traces", ROOT / "tests"
# Of docs/guides, those that are followed from the first command to the last.
GUIDES = [
    "five-minutes.md",
    "your-own-protocol.md",
    "drive.md",
    "histories.md",
    "record.md",
    "logs.md",
    "pipelines.md",
]
