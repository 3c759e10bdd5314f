"""What several parts need and none owns: worker processes, interrupts, exact bounds, plots, and
draws that can be repeated, and files that users name.
"""

__all__ = [
    "binomial",
    "files",
    "interrupts",
    "measured",
    "plots",
    "refusals",
    "reproducible",
    "svg_plot",
    "workers",
]
