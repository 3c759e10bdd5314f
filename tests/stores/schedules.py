"""For each wrong store a short schedule that shows what is wrong with it, in the words of `by_hand`."""

SCHEDULES = {
    # -------------------------------------------------- dual writes
    "DeltaOfWhatIsAbsent":
        "put k 1; settle; begin b; until copy; advance 4; fail b; put k 2; settle; sees k 2",
    "NoTombstones":
        "put k 1; settle; begin b; until copy; advance 4; fail b; delete k; settle; sees k -",
    "TombstonesCollectedEarly":
        "delay a; put k 1; advance 1; timeout; delete k; settle; heal; settle; sees k -",
    "NoFence":
        "delay a; put k 1; advance 1; begin b; until activate; heal; settle; told 1 refused",
    "AcknowledgedOnArrival":
        "put k 1; advance 1; restart a; settle; told 1 failed",
    "AnySideAcknowledges":
        "begin b; until copy; fail a; put k 1; advance 6; told 1 failed pending",
    "DrainOfNothing":
        "pause a; put k 1; advance 2; begin b; settle; heal; settle; sees k 1",
    "CommandsWithoutEpoch":
        "put k 1; settle; begin b; settle; zombie; settle; sees k 1",
    "HeldWritesInMemory":
        "begin b; until drain; put k 1; crash; settle; told 1 acknowledged",
    "SealKeptByAbort":
        "begin b; until drain; abort; serves k",
    "FencesInMemory":
        "delay a; put k 1; advance 1; begin b; until delta; restart a; heal; settle; told 1 refused",
    "OwnerByMembership":
        "put k 1; settle; begin b; until dual; sees k 1",
    # -------------------------------------------------- snapshot and log
    "PagesByOffset":
        "put k1 1; put k2 2; begin b; until copy; advance 4; delete k1; settle; sees k2 2",
    "MomentBeforeCapture":
        "begin b; advance 1; put k 1; settle; sees k 1",
    "ReplayedByKey":
        "put k 1; begin b; until copy; delay b; advance 3; put k 2; put k 3; settle; heal; settle; sees k 3",
    "RowsOverChanges":
        "put k 1; begin b; until copy; delay b; advance 3; put k 2; settle; heal; settle; sees k 2",
    "FilterInAnotherOrder":
        "put doc-0 1; put doc-1 1; put doc-2 1; begin b; until copy; advance 9; put doc-2 2; settle; sees doc-2 2",
    "EndlessBackfill":
        "put k 1; begin b; until copy; ends_under k",
    "CursorSurvivesAbort":
        "put k1 1; put k2 1; begin b; until copy; advance 6; abort; settle; put k1 2; begin b; settle; sees k1 2",
    "FailedPageSkipped":
        "put k 1; begin b; until copy; fail b; settle; sees k 1",
    "NoLock":
        "put k 1; begin b; until lock; advance 1; put k 2; settle; sees k 2",
    "StatementsReplayed":
        "begin b; until copy; add n 1; settle; sees n 1",
    "NumbersStartAgain":
        "put k 1; begin b; settle; begin c; until copy; advance 4; put k 2; settle; sees k 2",
    "DeletesLeaveNothing":
        "put k 1; begin b; until copy; delay b; advance 3; delete k; settle; heal; settle; sees k -",
}  # fmt: skip
