"""A run of as many steps as one likes, as a drawing; and one whose every text is hostile."""

from __future__ import annotations

from cutproof.checks.views.drawing import Arrow, Drawing, Lane, Step, Verdict

HOSTILE = (
    "<script>document.title='hurt'</script>",
    "<img src=x onerror=document.title='hurt'>",
    "</script><script>document.title='hurt'</script>",
    "&lt;b&gt; &amp; &#x41;",
    "\u202eturned round\u202c and \u2066isolated\u2069 \u200f",
    "${document.title='hurt'} `x` \\u003c \u2028 new line \x1b[31m",
    "]]> <!-- --> <svg onload=document.title='hurt'>",
)


def long_run(steps: int) -> Drawing:
    """Two who throw a ball to and fro, and now and then one arrives late."""
    lanes = (Lane("ann"), Lane("bob"), Lane("umpire"))
    made = [
        Step(standing={0: (("has", "the ball"),), 1: (), 2: ()}, state={"ball": "ann"}, choices={0: -1, 1: 0})
    ]
    arrows = []
    for n in range(1, steps + 1):
        who = (n + 1) % 2
        made.append(
            Step(
                f"throw(n={n})",
                f"{lanes[who].name} throws the ball for the {n}th time.",
                who,
                changes=(f"the ball is with {lanes[1 - who].name}",),
                state={"ball": lanes[1 - who].name},
                standing={who: (), 1 - who: (("has", "the ball"),)},
                choices={0: n % 2 - 1, 1: -(n % 2)},
            )
        )
        arrows.append(Arrow(who, 1 - who, n, min(steps, n + n % 7), f"ball {n}", late=n % 7 > 4))
    verdict = Verdict(
        "fair",
        "Nobody drops it.",
        "always",
        promise="Nobody drops the ball.",
        loss="It was dropped.",
        by=f"By step {steps}.",
        since=steps,
        inevitable=steps - 1,
        after="After the last but one.",
    )
    return Drawing(
        "A long game",
        "Two throw a ball.",
        lanes,
        tuple(made),
        tuple(arrows),
        verdict=verdict,
        calls=("throw", "stop"),
        guards=("has it",),
    )


def hostile_run() -> Drawing:
    """Every text of it is one of `HOSTILE`."""
    texts = HOSTILE
    lanes = tuple(Lane(t, t) for t in texts[:3])
    steps = [Step(state={t: t for t in texts}, standing={0: ((texts[0], texts[1]),)}, choices={0: -1, 1: 0})]
    steps += [
        Step(
            t,
            t,
            n % 3,
            fault=t,
            changes=(t,),
            state={t: t + "!"},
            standing={n % 3: ((t, t),)},
            choices={1: n % 2 - 1},
        )
        for n, t in enumerate(texts)
    ]
    arrows = tuple(Arrow(n % 3, (n + 1) % 3, n + 1, None if n % 2 else n + 1, t) for n, t in enumerate(texts))
    verdict = Verdict(
        texts[0],
        texts[1],
        "always",
        texts[2],
        texts[0],
        texts[1],
        texts[2],
        7,
        6,
        texts[3],
        rows=(texts[:2], texts[2:4]),
        lasts=((texts[0], texts[5]),),
    )
    return Drawing(
        texts[0],
        " ".join(texts),
        lanes,
        tuple(steps),
        arrows,
        verdict=verdict,
        about=((texts[1], texts[2]),),
        missing=texts,
        calls=texts[:2],
        guards=texts[:1],
    )
