"""What came of driving a program: what failed, and what was covered."""

from __future__ import annotations

from dataclasses import dataclass, field

from cutproof.checks.drivers.driving.comparing import Difference
from cutproof.checks.drivers.driving.walking import Numbers, Walking
from cutproof.checks.drivers.finding import NotConforming
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import State

DIFFERS, REFUSES, ALLOWS, ERRED = "differs", "refuses", "allows", "erred"
HOLDS, UNKNOWN, FOUND, FAILED = 0, 3, 12, 4  # exit codes


@dataclass(frozen=True)
class Failure:
    """A run after which model and program part. `transitions` are of the driven protocol, and lead from each of
    `states` to the next; the last one is that which fails, but where the kind is `allows`: then `attempt` is, which the
    model does not allow after them. `run` is its number, from 0; `told` what the driver said beside
    the reason."""

    kind: str
    states: tuple[State, ...]
    transitions: Numbers
    reason: str = ""
    differences: tuple[Difference, ...] = ()
    attempt: int | None = None
    run: int = 0
    told: tuple[str, ...] = ()

    @property
    def failing(self) -> int | None:
        """The transition in which it failed; None where it failed at the start."""
        return self.transitions[-1] if self.attempt is None and self.transitions else self.attempt

    def headline(self, walking: Walking) -> str:
        """What happened, on one line."""
        count = len(self.transitions)
        step = f"step {count}, {walking.label(self.transitions[-1])}" if count else "the start"
        if self.kind == DIFFERS:
            return f"after {step}, the states differ"
        if self.kind == REFUSES:
            return f"{step}: the program refuses what the model allows"
        if self.attempt is not None:
            tried = f"after {step}, {walking.label(self.attempt)}"
            if self.kind == ERRED:
                return f"{tried}: {self.reason}"
            said = ", ".join(f'"{name}"' for name in false_guards(walking, self.states[-1], self.attempt))
            return f"{tried}: the program {self.reason}, which the model forbids{f' ({said} false)' if said else ''}"
        return f"{step}: {self.reason}"

    def lines(self, walking: Walking) -> list[str]:
        """The headline, each difference, and what the driver told of its failure."""
        more = (*self.differences, *self.told)
        return [self.headline(walking), *(f"    {line}" for line in more)]


class NotAsModelled(NotConforming):
    """A program is not in the model's state, or does not what the model does: the reason, and the run that shows it.
    `saved` is the file of its trace, or empty."""

    again = "cutproof drive --replay performs it again"

    def __init__(self, failure: Failure, walking: Walking, name: str, saved: str = "") -> None:
        self.failure, self.saved = failure, saved
        labels = [walking.label(n) for n in failure.transitions]
        if failure.attempt is not None:
            labels.append(f"{walking.label(failure.attempt)}, which the model forbids")
        first, *rest = failure.lines(walking)
        said = [f"{name}: {first}", *rest]
        super().__init__("\n".join(said), labels)


def false_guards(walking: Walking, state: State, number: int) -> list[str]:
    """The guards of a transition that are false in a state."""
    values = walking.driven.named(state)
    done: dict[ex.Term, int] = {}
    guards = walking.driven.transitions[number].guards
    return [name for name, guard in guards if not ex.evaluate(guard, values, done)]


@dataclass
class Driving:
    """What driving a program found. `edges` is how many there are in the explored graph, of the actions that are driven
    (None where it was not explored: then runs were drawn with `seed`), `covered` how many different ones were taken;
    `left_out` counts, in the same states, those of actions that are not driven: `undriven` names them, each with a hint
    or nothing. `taken` is how often each driven action was taken; `tried` how often one that the model forbids.
    `begun` of the `beginnings` of the protocol are those in which this program begins. `ended` says what cut it off."""

    walking: Walking
    name: str
    seed: int
    shard: tuple[int, int] = (0, 1)
    edges: int | None = None
    states: int = 0
    left_out: int = 0
    undriven: dict[str, str] = field(default_factory=dict)
    begun: int = 1
    beginnings: int = 1
    runs: int = 0
    steps: int = 0
    longest: int = 0
    tried: int = 0
    taken: dict[str, int] = field(default_factory=dict)
    covered: int = 0
    failure: Failure | None = None
    found_after: int = 0
    why_drawn: str = ""
    ended: str = ""
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def never_taken(self) -> list[str]:
        """The actions that are driven, and that no run took."""
        return [name for name, times in self.taken.items() if not times]

    @property
    def outcome(self) -> str:
        """`found`, `the driver failed`, `cut off`, `not exercised` or `nothing found`."""
        if self.failure is not None:
            return "the driver failed" if self.failure.kind == ERRED else "found"
        if self.ended:
            return "cut off"
        return "nothing found" if self.steps and self.walking.comparing.compared else "not exercised"

    @property
    def exit_code(self) -> int:
        """0: nothing was found in these runs; 12: found; 3: cut off, or nothing was driven; 4: the driver failed."""
        codes = {"found": FOUND, "the driver failed": FAILED, "nothing found": HOLDS}
        return codes.get(self.outcome, UNKNOWN)
