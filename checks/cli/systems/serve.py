"""`cutproof serve-reference`: the reference implementation as a program that speaks the wire."""

from __future__ import annotations

from cutproof.checks.cli.arguments import the_removed
from cutproof.checks.cli.console import Without


def serve_reference(without: Without = "") -> int:
    """Serve the reference implementation: JSON lines on stdin and stdout, as docs/reference/wire.md has them."""
    from cutproof.checks.cutover.conformance.conform import Reference
    from cutproof.checks.drivers.wire.server import serve

    removed = tuple(the_removed(without))
    return serve(type("Reference", (Reference,), {"without": removed}))
