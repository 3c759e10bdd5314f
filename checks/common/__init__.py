"""What several parts need and none owns: worker processes, interrupts, exact bounds, plots, and
draws that can be repeated.
"""

__all__ = ["binomial", "interrupts", "refusals", "reproducible", "svg_plot", "workers"]
