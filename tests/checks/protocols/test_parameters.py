"""Parameters: what is given is checked against the annotations, and read back as it was."""

from enum import Enum
from typing import Annotated, Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.common.refusals import Wrong
from cutproof.checks.protocols.parameters import arguments_for, call, described, parsed, plain

Pace = Enum("Pace", "SLOW FAST")
INTEGERS = st.integers(-(10**17), 10**17)
WORDS = st.text("abcxyz_-. 0", min_size=1).map(str.strip).filter(bool)


def takes(
    number: int,
    share: float,
    sure: bool,
    word: str,
    pace: Pace,
    one_of: Literal["a", 3],
    maybe: int | None = None,
) -> None: ...


@given(
    number=INTEGERS, share=st.floats(allow_nan=False, allow_infinity=False), sure=st.booleans(), word=WORDS,
    pace=st.sampled_from(Pace), one_of=st.sampled_from(["a", 3]), maybe=st.none() | INTEGERS,
)  # fmt: skip
def test_what_is_written_is_read_back(**values: Any) -> None:
    """On a command line as text, and from a trace as plain values."""
    shown = {name: plain(value) for name, value in values.items()}
    text = ",".join(f"{name}={str(value).lower() if isinstance(value, bool | None) else value}"
                    for name, value in shown.items())  # fmt: skip
    assert arguments_for(takes, parsed(text), "it") == values
    assert arguments_for(takes, shown, "it") == values
    types = {name: type(value) for name, value in arguments_for(takes, parsed(text), "it").items()}
    assert types == {name: type(value) for name, value in values.items()}


@given(text=st.text())
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        found = parsed(text)
        arguments_for(lambda a=1, b="": None, found, "it")
    except Wrong as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("function", "text", "said"),
    [
        (lambda nodes=2: None, "node=3", "unknown parameter 'node'; did you mean nodes?"),
        (lambda nodes=2: None, "x=3", "unknown parameter 'x'; it takes nodes = 2"),
        (lambda: None, "x=3", "unknown parameter 'x'; it takes no parameters"),
        (lambda **rest: None, "x=3", "unknown parameter 'x'; it takes no parameters"),
        (lambda nodes: None, "", "it needs nodes: give it by --with nodes=...; it takes nodes"),
        (lambda nodes: None, "nodes=1", "nodes=1: its kind is not known: annotate it"),
        (lambda nodes=None: None, "nodes=1", "nodes=1: its kind is not known: annotate it"),
        (lambda nodes=2: None, "nodes=2.5", "nodes=2.5: is not a whole number"),
        (lambda nodes=2: None, "nodes=" + "9" * 30, "is not a whole number of at most 18 digits"),
        (lambda nodes=2: None, "nodes=true", "is not a whole number"),
        (lambda on=True: None, "on=yes", "on=yes: is not true or false"),
        (lambda share=0.5: None, "share=nan", "share=nan: is not a number"),
        (lambda share=0.5: None, "share=half", "share=half: is not a number"),
        (lambda pace=Pace.SLOW: None, "pace=FASTER", "pace=FASTER: there are SLOW, FAST; did you mean FAST?"),
        (lambda pace=Pace.SLOW: None, "pace=1", "pace=1: there are SLOW, FAST"),
        (lambda nodes=2: None, "nodes", "--with nodes: write name=value,name=value"),
        (lambda nodes=2: None, "nodes=", "--with nodes=: write name=value"),
        (lambda nodes=2: None, "=2", "write name=value"),
        (lambda nodes=2: None, "nodes=1,,", "write name=value"),
        (lambda nodes=2: None, "nodes=1,nodes=2", "nodes is given twice"),
    ],
)
def test_what_does_not_fit_is_refused(function: Any, text: str, said: str) -> None:
    with pytest.raises(Wrong) as found:
        arguments_for(function, parsed(text), "it")
    assert said in str(found.value)


def test_what_has_an_annotation_that_nobody_can_write_is_refused() -> None:
    def odd(names: list[str] = [], lost: "NoSuchName" = 0, word: str = "") -> None: ...  # type: ignore  # noqa: B006, F821

    for text, said in (
        ("names=a", r"list\[str\] cannot be given by --with"),
        ("lost=a", "means nothing there"),
    ):
        with pytest.raises(Wrong, match=said):
            arguments_for(odd, parsed(text), "it")
    with pytest.raises(Wrong, match="one line of plain text"):
        arguments_for(odd, {"word": "a\nb"}, "it")


def test_what_is_taken_is_described() -> None:
    def every(
        nodes: int, pace: Pace = Pace.FAST, kind: Literal["a", 3] = 3, maybe: Optional[float] = None,  # noqa: UP045
        word: str = "", on: bool = True, *rest: int, few: Annotated[int, "small"] = 1, **more: int,
    ) -> None: ...  # fmt: skip

    text = described(every)
    assert text.startswith(
        "nodes: int, pace: SLOW | FAST = FAST, kind: a | 3 = 3, maybe: float | none = none"
    )
    assert "word: str = '', on: bool = true, few: " in text
    assert arguments_for(every, {"nodes": "1", "few": "7"}, "it")["few"] == 7


def test_what_has_a_place_only_is_given_by_place() -> None:
    def placed(a: int, b: int = 2, /, c: int = 3, *, d: int = 4) -> tuple[int, ...]:
        return a, b, c, d

    assert call(placed, arguments_for(placed, parsed("a=7,d=8"), "it")) == (7, 2, 3, 8)
