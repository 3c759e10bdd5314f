"""The command `cutproof view` of a protocol: explored by hand, in a page that is served on this machine alone."""

from __future__ import annotations

import os
import re
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path as File

from cutproof.checks.cli.arguments import the_protocol
from cutproof.checks.cli.console import say
from cutproof.checks.common.refusals import refuse

_FILE = re.compile(r".*\.py(:[^:/]*)?", re.DOTALL)


def is_protocol(named: str) -> bool:
    """Whether what is to be viewed is a protocol: FILE.py[:NAME], or the name of a bundled one and of nothing else."""
    from cutproof.checks.protocols.registry import BUNDLED
    from cutproof.checks.traces import stored

    if _FILE.fullmatch(named):
        return True
    known = {b.name for b in BUNDLED}
    if named.strip().lower().replace("_", "-") not in known:
        return False
    return not File(named).exists() and stored.find(named) is None


def only(of: str, options: dict[str, object]) -> None:
    """Refuse the first option that was given and has no part in this."""
    for option, given in options.items():
        if given:
            refuse(f"{option}: has no part in {of}")


def by_hand(
    named: str,
    parameters: Sequence[str] | None,
    guards: Sequence[str] | None,
    scope: str,
    policy: str,
    without: str,
    as_written: bool,
    port: int,
    opens: bool,
) -> int:
    """Serve the page until it is interrupted, which is how it ends: exit code 0."""
    from cutproof.checks.views.byhand.server import Server
    from cutproof.checks.views.byhand.walk import Walk

    loaded = the_protocol(named, parameters, guards, scope, policy, without, as_written)
    walk = Walk(loaded.protocol, loaded.settings)
    try:
        server = Server(walk, port)
    except OSError as error:
        refuse(f"--port {port}: {error.strerror or error}")
    with server:
        try:
            say(server.address, verbatim=True)
            print("for this machine alone, and who has the address; Ctrl-C ends it", file=sys.stderr)
            if opens and _has_a_display():
                webbrowser.open(server.address)
            server.serve_forever()
        except KeyboardInterrupt:
            pass
    return 0


def _has_a_display() -> bool:
    """Whether a page can be shown. Without one, a browser of texts would take the terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
