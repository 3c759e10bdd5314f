"""How stories speak of the cutover: what a step did (`steps.py`), what a change means (`changes.py`), and how things
stand at the end (`ending.py`). And how it is drawn: in which lanes (`lanes.py`), and what was promised and lost
(`losses.py`). Everything here is over plain values: members of enumerations are their names.
"""

from cutproof.model.cutover.safeguards import Harm
from cutproof.model.cutover.words.changes import VARIABLES
from cutproof.model.cutover.words.ending import ending
from cutproof.model.cutover.words.lanes import PICTURE
from cutproof.model.cutover.words.steps import STEPS
from cutproof.model.language.words import Words

WORDS = Words(
    steps=STEPS,
    variables=VARIABLES,
    harms={harm.name: harm.value for harm in Harm},
    ending=ending,
)

__all__ = ["PICTURE", "WORDS"]
