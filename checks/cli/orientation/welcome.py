"""What `cutproof` alone says."""

from __future__ import annotations

TRY = {  # they work anywhere, and take seconds
    "cutproof replay lost-write-without-fence_epoch": "see how a database loses a write, step by step",
    "cutproof explore --without fence_epoch": "take one safeguard away, and have the harm found",
    "cutproof new moving.py": "a small protocol and its driver, to begin with",
}


def welcome() -> list[str]:
    """Three things to try, and where the rest is."""
    longest = max(map(len, TRY))
    return [
        "Cutproof finds how moving data under clients loses it, and proves where it does not.",
        "Three things to try:",
        "",
        *(f"  {command.ljust(longest)}   {why}" for command, why in TRY.items()),
        "",
        "cutproof --help lists the commands, cutproof doctor says what more could be installed.",
    ]
