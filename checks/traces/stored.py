"""The traces that come with the package, by name: `lost-write-without-fence_epoch`."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "traces"  # linked and installed beside the code
ENDING = ".itf.json"


def names() -> list[str]:
    """Every stored trace, without its ending; none where the package was installed without them."""
    return sorted(file.name.removesuffix(ENDING) for file in FOLDER.glob(f"*{ENDING}"))


def find(name: str) -> Path | None:
    """The stored trace of that name, with or without its ending and the folder `traces/`; else None."""
    short = name.removeprefix("traces/").removesuffix(ENDING)
    return FOLDER / f"{short}{ENDING}" if short in names() else None
