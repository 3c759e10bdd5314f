"""The checks: what is asked of the model, and the command line that asks it."""
