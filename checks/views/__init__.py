"""Pictures of runs: one data structure (`drawing.py`), made of a trace (`make.py`) or of what else tells a run, and
drawn as a page, as SVG, Mermaid or text.

    drawing = make.of_trace(trace, protocol)        # lanes, steps, arrows, what was enabled, what was lost
    html.page([drawing]); svg.svg(drawing); mermaid.diagram(drawing); text.lanes(drawing, width=100)

`messages.py` says which arrows there are, `choices.py` what else could have been done and which guard was false,
`inevitable.py` from which step on nothing could help any more. `bare.py` reads traces of other tools,
`histories.py` what clients recorded; `carried.py` puts a drawing into a trace and takes it out again.
`byhand/` is a protocol explored by hand, in a page that a server on this machine serves.
"""

__all__ = [
    "bare",
    "byhand",
    "carried",
    "drawing",
    "histories",
    "html",
    "make",
    "mermaid",
    "svg",
    "text",
]
