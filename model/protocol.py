"""`cutproof.model.protocol`: the name under which documents show it; it stands in `language/protocol.py`."""

from cutproof.model.language.protocol import Claim, Field, Protocol, State, Transition, View, label

__all__ = ["Claim", "Field", "Protocol", "State", "Transition", "View", "label"]
