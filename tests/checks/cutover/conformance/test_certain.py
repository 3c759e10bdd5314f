"""Where it is plain what a document must hold, the judge says the same."""

from __future__ import annotations

from typing import Any

import pytest
from strangers import RIGHT, WRONG

from cutproof.checks.cutover.conformance import conform
from cutproof.checks.cutover.conformance.certain import Certain
from cutproof.checks.drivers.adapter import ACKNOWLEDGED, FAILED, REFUSED
from cutproof.checks.drivers.histories.operation import Operation

STORES = (*WRONG[::9], *RIGHT[::4])


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.__name__)
def test_with_and_without_the_same_is_found(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> str:
        try:
            return str(conform.check(store, runs=60))
        except conform.NotConforming as found:
            return f"{found.run} {found}"

    with_it = said()
    monkeypatch.setattr(Certain, "explains", lambda self, shown: False)
    assert said() == with_it


def put(outcome: str, value: str = "a") -> Operation:
    return Operation(1, "client-1", "put", "doc-0", value, 1, 2, outcome)


def test_what_overlaps_or_may_have_happened_is_not_certain() -> None:
    one = Certain("put")
    assert one.explains(None)
    one.issued()
    assert not one.explains(None)  # a write is on its way
    one.answered(put(ACKNOWLEDGED))
    assert one.explains("a")
    assert not one.explains(None)
    one.issued()
    one.answered(put(REFUSED, "b"))
    assert one.explains("a")
    one.issued()
    one.answered(put(FAILED, "c"))
    assert not one.explains("a")  # it may still happen
    two = Certain("put")
    two.issued()
    two.issued()
    two.answered(put(ACKNOWLEDGED, "a"))
    two.answered(put(ACKNOWLEDGED, "b"))
    assert not two.explains("b")  # either order


def test_counters_and_lists_are_summed_up() -> None:
    counter, items = Certain("add"), Certain("append")
    for n in (1, 2):
        counter.issued()
        counter.answered(Operation(n, "", "add", "counter-0", n, n, n, ACKNOWLEDGED))
        items.issued()
        items.answered(Operation(n, "", "append", "list-0", f"item-{n}", n, n, ACKNOWLEDGED))
    assert counter.explains(3)
    assert items.explains(["item-1", "item-2"])
    assert not items.explains(["item-2", "item-1"])
