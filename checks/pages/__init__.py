"""A report of a run as pages: a folder with `index.html`, and beside it a page of each run that it speaks of, drawn by
`checks/views`. It needs no network and opens from disk.

    folder.check(place)                                   # before long work: refuses a folder of somebody else's
    folder.replace(place, verifying.files(rows, about))   # written beside, and renamed

`verifying.py` makes the pages of `verify`, with `removals.py` (safeguards) and `policies.py` (the gate's map);
`losses.py`, `conforming.py` and `exploring.py` those of the other commands. They put `parts.py` together: tables, which
`tables.js` sorts and filters, plots (`checks/common/plots.py`), and views of traces (`viewed.py`).
"""

__all__ = ["conforming", "exploring", "folder", "losses", "parts", "verifying"]
