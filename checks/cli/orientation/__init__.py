"""For whoever is here for the first time: what to try (`welcome.py`), a protocol and its driver to begin with
(`new.py`, from `templates/`), what is installed and what more would add (`doctor.py`), and words for the shell to
complete (`completion.py`).
"""

__all__ = ["completion", "doctor", "new", "welcome"]
