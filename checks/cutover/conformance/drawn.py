"""A drawing of a schedule that `conform` wrote: what was done to a system, and what clients were told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cutproof.checks.cutover.conformance.steps import READS, WRITES, Schedule
from cutproof.checks.cutover.conformance.steps import Step as Done
from cutproof.checks.views.drawing import Arrow, Drawing, Lane, Step, Verdict

ANYONE, OPERATOR = "a client", "operator"
PROMISE = "What a client was told is saved stays saved, and every later read shows it or something newer."
_NUMBERED = re.compile(r"\b(?P<what>[a-z_]+) #(?P<number>\d+)")
_ANSWER = re.compile(r"\b[a-z_]+ #(?P<number>\d+) is (?P<outcome>[a-z ]+)")
_STEP = re.compile(r"\bstep (\d+)")
_NODE = re.compile(r"\bnode-\d+\b")


def of_schedule(schedule: Schedule, name: str) -> Drawing:
    """The drawing of a schedule, by the words in which it was told when it was found."""
    told = list(schedule.told) or [_words(step) for step in schedule.steps]
    missing = [] if schedule.told else ["What came of each step is not in the file: it was written by hand."]
    missing.append("What the system held inside is not in a schedule: replay it to see it fail.")
    system = schedule.system or "the system"
    clients = list(dict.fromkeys(s.client or ANYONE for s in schedule.steps if s.do in (*WRITES, *READS)))
    if any(line.startswith(READS) or "clients" in line for line in told[len(schedule.steps) :]):
        clients += [ANYONE] * (ANYONE not in clients)
    nodes = list(dict.fromkeys(node for line in told for node in _NODE.findall(line)))
    lanes = (
        *(Lane(c) for c in clients),
        Lane(system, "what is judged"),
        *(Lane(n) for n in nodes),
        Lane(OPERATOR),
    )
    teller = _Teller(clients, [lane.name for lane in lanes], system)
    steps, arrows = [Step()], list[Arrow]()
    for number, line in enumerate(told, 1):
        done = schedule.steps[number - 1] if number <= len(schedule.steps) else None
        step, more = teller.step(number, line, done)
        steps.append(step)
        arrows += more
    return Drawing(
        title=_title(schedule),
        why=f"A schedule of {len(told)} steps on {system}.",
        lanes=lanes,
        steps=tuple(steps),
        arrows=tuple(arrows),
        verdict=_verdict(schedule, len(told)),
        missing=tuple(missing),
        kind="schedule",
        about=(("file", name), ("system", system), ("seed", str(schedule.seed))),
    )


class _Teller:
    """Makes steps and arrows of told lines, and remembers whose write has which number."""

    def __init__(self, clients: Sequence[str], lanes: Sequence[str], system: str) -> None:
        self.clients, self.lanes, self.system = clients, list(lanes), len(clients)
        self.of: dict[str, int] = {}

    def step(self, number: int, line: str, done: Done | None) -> tuple[Step, list[Arrow]]:
        arrows, nodes, fault = list[Arrow](), _NODE.findall(line), ""
        lane = self.lanes.index(nodes[0]) if nodes else len(self.lanes) - 1
        does = done.do if done else line.partition(" ")[0]
        if does in (*WRITES, *READS):
            lane = self._client(done)
            named = _NUMBERED.search(line)
            if named and does in WRITES:
                self.of[named["number"]] = lane
            asked, _, answer = line.partition(": ")
            if does in READS and answer:
                arrows.append(Arrow(self.system, lane, number, number, f"{asked}: {answer}"))
            else:
                arrows.append(Arrow(lane, self.system, number, number, asked))
        elif does == "fault":
            fault = done.fault if done else "fault"
        elif does in ("advance", "clients"):
            lane = self.system if does == "advance" else self._client(None)
        elif not nodes or (done and done.do not in ("fault", "heal")):
            lane = len(self.lanes) - 1
            arrows.append(Arrow(lane, self.system, number, number, line.partition(":")[0]))
        for answer_to in _ANSWER.finditer(line):
            to = self.of.get(answer_to["number"], 0)
            fate = "arrives" if "acknowledged" in answer_to["outcome"] else "refused"
            arrows.append(Arrow(self.system, to, number, number, answer_to[0].replace(" is ", ": "), fate))  # type: ignore[arg-type]
        sentence = f"{line[0].upper()}{line[1:]}." if line else ""
        return Step(call=_words(done) if done else line, sentence=sentence, lane=lane, fault=fault), arrows

    def _client(self, done: Done | None) -> int:
        name = (done.client if done else "") or ANYONE
        return self.clients.index(name) if name in self.clients else 0


def _words(step: Done) -> str:
    """A step as a few words."""
    parts = [step.do.replace("_", " "), step.key, step.fault, " ".join(map(str, step.shards))]
    parts.append(str(step.times) if step.times else "")
    return " ".join(filter(None, parts))


def _title(schedule: Schedule) -> str:
    what = schedule.found.reason.partition(":")[0] if schedule.found else "a schedule"
    return f"{what[0].upper()}{what[1:]}{f' in {schedule.system}' if schedule.system else ''}"


def _verdict(schedule: Schedule, last: int) -> Verdict:
    if schedule.found is None:
        return Verdict(
            promise=PROMISE,
            loss="What came of it, the file does not say.",
            by="No step is named.",
            after="After which step it was inevitable is not known.",
        )
    reason = schedule.found.reason
    steps = [int(n) for n in _STEP.findall(reason) if 0 < int(n) <= last]
    since = steps[-1] if steps else last
    return Verdict(
        schedule.found.kind,
        form="always",
        promise=PROMISE,
        loss=f"{reason[0].upper()}{reason[1:]}.",
        by=f"Seen at step {since}.",
        since=since,
        after="After which step it was inevitable is not known: what a program holds is not seen. No step of "
        "this schedule could be left out.",
    )
