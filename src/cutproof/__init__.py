"""Cutproof: a specification (`model`), a reference implementation (`impl`), and the checks that try to break them.

The three folders stand at the top of the repository; here they are linked under the name they are imported by, so
that installers, editors and type checkers find them as they find any package. See docs/decisions/0008.
"""
