"""How many examples are drawn where the number of the profile does not fit."""

from hypothesis import settings


def by_night() -> bool:
    """Whether `make nightly` runs."""
    return settings.default == settings.get_profile("nightly")


def examples(day: int, night: int | None = None) -> settings:
    """So many examples by day, and so many by `make nightly`: ten times as many unless said otherwise."""
    return settings(max_examples=(night or 10 * day) if by_night() else day, deadline=None)
