"""What the fixture gives, without pytest around it: a store judged, what is saved, where files are looked for."""

from dataclasses import replace
from pathlib import Path

import pytest
from commit_program import Driver, model

from cutproof.checks.common.refusals import Wrong
from cutproof.checks.cutover.conformance import conform
from cutproof.checks.drivers.finding import NotConforming
from cutproof.checks.testing.session import Found, Session


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(
        folder=tmp_path / "kept", near=tmp_path, scope="", part=(0, 1), runs=None, seed=0, seconds=None
    )


class Forgets(conform.Reference):
    """It acknowledges what it did not write."""

    def put(self, key: str, value: str) -> conform.Answer:
        return "acknowledged"


def test_a_store_that_loses_is_found_and_its_schedule_saved(session: Session) -> None:
    with pytest.raises(NotConforming) as found:
        session.conform(Forgets)
    (file,) = session.folder.iterdir()
    assert getattr(found.value, "saved", "") == str(file)
    assert conform.replay(file, Forgets) is not None


def test_too_little_is_not_enough(session: Session) -> None:
    with pytest.raises(Found, match="not exercised"):
        replace(session, runs=1).conform(conform.Reference)


def test_what_was_found_before_is_in_the_way_of_no_test(session: Session) -> None:
    for fault in ("the vote is not sent", "the vote is sent first"):
        with pytest.raises(NotConforming, match="the states differ"):
            session.drive(model(), lambda fault=fault: Driver(fault))
    assert len(list(session.folder.iterdir())) == 1


def test_a_file_is_looked_for_beside_the_test_first(session: Session) -> None:
    (session.near / "two.py").write_text(
        "from cutproof.model.examples.two_phase_commit import two_phase_commit\n"
        "def two(managers: int = 2):\n    return two_phase_commit(managers)\n"
    )
    assert len(session.model("two.py:two").protocol.indices["rm"]) == 2
    assert len(session.model("two.py:two", managers=3).protocol.indices["rm"]) == 3
    assert session.drive("two.py:two", Two).covered > 0
    with pytest.raises(Wrong, match="No such file"):
        session.model("three.py")


class Two(Driver):
    """Two of the three."""

    def commit(self) -> bool:
        return set(self.manager.votes) >= {0, 1} and not self.manager.decision and self._commits()

    def _commits(self) -> bool:
        self.manager.votes.add(2)
        done = self.manager.commit()
        self.manager.votes.discard(2)
        return done

    def state(self) -> dict[str, object]:
        found = super().state()
        return {n: v[:2] if isinstance(v, list) else v for n, v in found.items()}
