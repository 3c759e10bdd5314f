"""Exact binomial bounds (Clopper-Pearson): what `lost` of `of` says about the rate behind it.

upper(0, 1_000_000)   # 3.0e-06: 0 of a million bounds the rate below 3 in a million, not below 1
needed(1e-6)          # so many, with nothing lost, bound it below 1 in a million
"""

from __future__ import annotations

from math import ceil, expm1, log, log1p

CONFIDENCE = 0.95


def upper(lost: int, of: int, confidence: float = CONFIDENCE) -> float:
    """The one-sided upper bound of the rate: with a higher one, so few would be lost in fewer than 5 % of such runs.

    1.0 where nothing was tried. Raises ValueError for counts that can't be."""
    _check(lost, of)
    if lost >= of:
        return 1.0
    if lost == 0:
        return -expm1(log(1 - confidence) / of)
    from scipy.stats import beta

    return float(beta.ppf(confidence, lost + 1, of - lost))


def interval(lost: int, of: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The two-sided interval of the rate. Raises ValueError for counts that can't be."""
    _check(lost, of)
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = 0.0 if lost == 0 else float(beta.ppf(tail, lost, of - lost + 1))
    high = 1.0 if lost >= of else float(beta.ppf(1 - tail, lost + 1, of - lost))
    return low, high


def needed(rate: float, confidence: float = CONFIDENCE) -> int:
    """How many must be tried, with nothing lost, for an upper bound below `rate`. Raises ValueError outside 0..1."""
    if not 0 < rate < 1:
        raise ValueError(f"rate={rate} is out of range: a rate to be shown is between 0 and 1")
    exact = log(1 - confidence) / log1p(-rate)
    return ceil(exact) + (exact == ceil(exact))


def _check(lost: int, of: int) -> None:
    if not 0 <= lost <= of:
        raise ValueError(f"{lost} of {of}: what was lost is between 0 and all")
