"""Every run with any number of writes is a run with one tracked write and an environment: checked, step by step.

The proof for unbounded writes is about the protocol with `others` (`model/cutover/environment.py`). It says something
about real clients only if their runs are among its runs. So each step of the explicit protocol, with some of its writes
chosen as the tracked one, must be matched by steps there that lead from the image of one state to the image of the
next (a forward simulation; Lynch and Vaandrager 1995). What is not in the state of the explicit protocol, whether the
tracked write was acknowledged, and before the read began, goes along with the run.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import Scope
from cutproof.model.cutover.slot import Task
from cutproof.model.language.codegen import compile_terms
from cutproof.model.language.protocol import Protocol, State, Transition, label

QUEUED = list(Task).index(Task.QUEUED)


@dataclass(frozen=True)
class Memory:
    """What goes along with a run: whether the tracked write was acknowledged, and whether when the read began."""

    acknowledged: bool = False
    at_read: bool = False


@dataclass(frozen=True)
class Unmatched:
    """A step of the explicit protocol that the tracked one cannot follow."""

    tracked: int
    transition: str
    reason: str


class Tracking:
    """The explicit protocol in a scope, and the same with one write of document 0 tracked. Raises ValueError for a
    scope with more than one document, or with what `Scope.others` excludes."""

    def __init__(self, scope: Scope, policy: Policy | None = None, without: tuple[str, ...] = ()) -> None:
        mechanisms = resolve(policy or Policy(replicas=scope.replica), without)
        self.explicit = cutover(scope).resolve(mechanisms)
        self.abstract = cutover(replace(scope, writes=1, others=True)).resolve(mechanisms)
        self.nodes = [n.name for n in self.explicit.indices["node"]]
        self.messages = self.explicit.indices["message"]
        self._steps = {_name(t): _compiled(self.abstract, t) for t in self.abstract.transitions}
        self._moves = [(t, _compiled(self.explicit, t)) for t in self.explicit.transitions]

    # -------------------------------------------------- states

    def image(self, state: State, r: int, memory: Memory) -> State:
        """The state of the tracked protocol for an explicit one, when write r is tracked."""
        here, there = self.explicit.named(state), dict(self.abstract.start)
        for name in there:
            if name in here:
                there[name] = here[name]
        issued = here["issued[0]"]
        for n in self.nodes:
            there[f"net[{n},0,1]"], there[f"task[{n},0,1]"] = (
                here[f"net[{n},0,{r}]"],
                here[f"task[{n},0,{r}]"],
            )
            there[f"others_queued[{n}]"] = int(
                any(here[f"task[{n},0,{q}]"] == QUEUED for q in self._others(r))
            )
        if "earlier[0,1]" in here:  # where nodes have queues
            there["earlier[0,1]"] = here[f"earlier[0,{r}]"]
            there["others_earlier"] = int(self._earlier(here, r))
        mine = issued == r
        there.update(
            {
                "issued[0]": int(issued >= r), "drawn": r if issued >= r else 0, "sequencer": issued, "other": 0,
                "waits[0]": here["waits[0]"] if mine else 0, "alone[0]": here["alone[0]"] if mine else 0,
                "acked[0]": r if memory.acknowledged else 0, "floor": r if memory.at_read else 0,
            }
        )  # fmt: skip
        return tuple(there[f.name] for f in self.abstract.fields)

    def _others(self, r: int) -> list[int]:
        return [q for q in self.messages if isinstance(q, int) and q != r]

    def _earlier(self, here: dict[str, int], r: int) -> bool:
        """The copy waits for a write of the others."""
        return any(here[f"earlier[0,{q}]"] for q in self._others(r))

    # -------------------------------------------------- steps

    def moves(self, state: State) -> Iterator[tuple[Transition, State]]:
        """Every step of the explicit protocol."""
        for transition, step in self._moves:
            if (after := step(state)) is not None:
                yield transition, after

    def follow(self, before: State, transition: Transition, after: State, r: int) -> str:
        """Take the steps of the tracked protocol that match one step; what is wrong, or nothing."""
        for name in self._plan(transition, r):
            step = self._steps.get(name)
            moved = step(before) if step else None
            if moved is None:
                return f"{name} is not enabled"
            before = moved
        if before == after:
            return ""
        names = [f.name for f in self.abstract.fields]
        wrong = [f"{n} is {a}, not {b}" for n, a, b in zip(names, before, after, strict=True) if a != b]
        return "; ".join(wrong)

    def _plan(self, transition: Transition, r: int) -> list[str]:
        """Names of steps of the tracked protocol. A step of another client's write is one of the environment's."""
        arguments, action = dict(transition.arguments), transition.action
        which = arguments.get("rank", arguments.get("message"))
        if not isinstance(which, int) or which == r:
            return [
                _named(
                    action, {k: 1 if v == r and k in ("rank", "message") else v for k, v in arguments.items()}
                )
            ]
        node = arguments["node"].name if "node" in arguments else ""
        if action.startswith("write"):
            return ["others_draw()"]
        if action in ("accept", "accept_duplicate"):
            return [f"others_arrive(node={node}, view={self._view})"]
        if action == "apply":
            turned = ["other_rises()"] * which
            return [*turned, f"others_apply(node={node})", "other_again()", *self._over(node)]
        return self._over(node) if action == "task_fails" else []

    def _over(self, node: str) -> list[str]:
        if self._left:
            return ["earlier_others_are_done()"] if self._none_earlier else []
        return [f"others_are_done(node={node})"]

    _view, _left, _none_earlier = 0, False, False

    def step(
        self, state: State, transition: Transition, after: State, r: int, memory: Memory
    ) -> tuple[str, Memory]:
        """Match one step; what is wrong, and what is remembered after it."""
        arguments, now, then = (
            dict(transition.arguments),
            self.explicit.named(state),
            self.explicit.named(after),
        )
        which, node = arguments.get("message"), arguments.get("node")
        if isinstance(which, int) and node is not None:
            self._view = now[f"net[{node.name},0,{which}]"] - 1
            self._left = any(then[f"task[{node.name},0,{q}]"] == QUEUED for q in self._others(r))
            self._none_earlier = self._earlier(now, r) and not self._earlier(then, r)
        acknowledged = memory.acknowledged or (transition.action == "acknowledge" and arguments["rank"] == r)
        at_read = memory.at_read
        if transition.action.startswith("read"):
            at_read = acknowledged if transition.action in ("read", "read_by_stale_router") else at_read
        if then.get("reading", 0) == 0:
            at_read = False
        later = Memory(acknowledged, at_read)
        wrong = self.follow(self.image(state, r, memory), transition, self.image(after, r, later), r)
        return wrong, later

    # -------------------------------------------------- all of it, or at random

    def everywhere(self, r: int, limit: int = 1_000_000) -> tuple[int, int, Unmatched | None]:
        """Every reachable state and step: how many, and the first that is not matched.
        Raises MemoryError beyond `limit`."""
        first = (self.explicit.initial, Memory())
        known, queue, steps = {first}, deque([first]), 0
        while queue:
            state, memory = queue.popleft()
            for transition, after in self.moves(state):
                wrong, later = self.step(state, transition, after, r, memory)
                steps += 1
                if wrong:
                    return len(known), steps, Unmatched(r, str(transition), wrong)
                if (after, later) not in known:
                    known.add((after, later))
                    queue.append((after, later))
            if len(known) > limit:
                raise MemoryError(f"more than {limit:,} states")
        return len(known), steps, None

    def at_random(self, r: int, seed: int, length: int = 200) -> Unmatched | None:
        """One random run."""
        draw, state, memory = random.Random(seed), self.explicit.initial, Memory()
        for _ in range(length):
            choices = list(self.moves(state))
            if not choices:
                break
            transition, after = draw.choice(choices)
            wrong, memory = self.step(state, transition, after, r, memory)
            if wrong:
                return Unmatched(r, str(transition), wrong)
            state = after
        return None


def _name(transition: Transition) -> str:
    return str(transition)


def _named(action: str, arguments: dict[str, Any]) -> str:
    return f"{action}({', '.join(f'{k}={label(v)}' for k, v in arguments.items())})"


def _compiled(protocol: Protocol, transition: Transition) -> Any:
    """The transition as a function from a state to the next, or None where it is not enabled."""
    updates = {cell.name: value for cell, value in transition.updates}
    places = {f.name: i for i, f in enumerate(protocol.fields)}
    changed = [(places[name], value) for name, value in updates.items() if name in places]
    values = compile_terms(protocol, [transition.enabled, *(value for _, value in changed)])

    def step(state: State) -> State | None:
        enabled, *new = values(state)
        if not enabled:
            return None
        after = list(state)
        for (place, _), value in zip(changed, new, strict=True):
            after[place] = int(value)
        return tuple(after)

    return step
