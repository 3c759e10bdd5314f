"""What a shell completes behind some options: names that this package knows, asked for only while completing."""

from __future__ import annotations


def scopes(incomplete: str) -> list[str]:
    """The named scopes of the cutover."""
    from cutproof.model.cutover.scopes import SCOPES

    return [name for name in SCOPES if name.startswith(incomplete)]


def removable(incomplete: str) -> list[str]:
    """The safeguards, behind those that stand there already: `fence_epoch,del` as `fence_epoch,delta_always`."""
    from cutproof.model.cutover.safeguards import SAFEGUARDS

    before, comma, last = incomplete.rpartition(",")
    return [
        f"{before}{comma}{name}"
        for name in SAFEGUARDS
        if name.startswith(last) and name not in before.split(",")
    ]


def traces(incomplete: str) -> list[str]:
    """The stored traces."""
    from cutproof.checks.traces import stored

    return [name for name in stored.names() if name.startswith(incomplete)]


def rungs(incomplete: str) -> list[str]:
    """The rungs of `cutproof verify`."""
    from cutproof.checks.ladder import share, verify

    return [name for name in share.rungs(verify.tasks()) if name.startswith(incomplete)]


def engines(incomplete: str) -> list[str]:
    """The engines of `cutproof explore`."""
    from cutproof.checks.engines.choose import ENGINES

    return [name for name in ENGINES if name.startswith(incomplete)]


def protocols(incomplete: str) -> list[str]:
    """The bundled protocols, and the files of Python that are here."""
    from pathlib import Path

    from cutproof.checks.protocols.registry import BUNDLED

    folder, slash, _ = incomplete.rpartition("/")
    here = Path(folder or ".") if not slash or folder else Path("/")
    files = sorted(here.glob("*.py")) if here.is_dir() else []
    found = [*(entry.name for entry in BUNDLED), *(f"{folder}{slash}{file.name}" for file in files)]
    return [name for name in found if name.startswith(incomplete)]
