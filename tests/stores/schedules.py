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
        "put k 1; begin b; until copy; advance 2; put k 2; advance 3; put k 3; settle; sees k 3",
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
        "add n 1; begin b; until register; advance 7; add n 1; settle; sees n 2",
    "NumbersStartAgain":
        "put k 1; begin b; settle; begin c; until copy; advance 4; put k 2; settle; sees k 2",
    "DeletesLeaveNothing":
        "put k 1; begin b; until copy; delay b; advance 3; delete k; settle; heal; settle; sees k -",
    # -------------------------------------------------- slots
    "ReplicaForgetsTheMove":
        "put k 1; put k2 1; put k3 1; begin b; advance 14; restart a; sees k 1",
    "KeysNotLocked":
        "put k 1; begin b; advance 8; put k 2; settle; sees k 2",
    "GivenUpInPlace":
        "put k 1; put k2 1; put k3 1; begin b; advance 14; abort; settle; sees k 1",
    "DeletedBeforeConfirmed":
        "put k 1; begin b; advance 6; sees k 1",
    "IncrementsAreNotSentOn":
        "add n 1; begin b; advance 18; add n 1; sees n 2",
    "FoundTwice":
        "put k 1; begin b; advance 9; finds k",
    "ImpatientSource":
        "put k 1; pause b; begin b; advance 8; delete k; heal; settle; sees k -",
    "SwitchedByRecovery":
        "put k 1; put k2 1; begin b; advance 4; crash; settle; sees k 1",
    # -------------------------------------------------- seal and copy
    "WritesUnderSealDropped":
        "put k 1; begin b; until copy; advance 8; put k 2; settle; sees k 2",
    "LateReceiver":
        "put k 1; begin b; until open; delay b; advance 3; abort; settle; put k 2; heal; settle; "
        "told 2 refused or sees k 2",
    "OneCursorForAll":
        "put k1 1; put k2 1; move 0 b; advance 6; move 1 b; settle; finds k1 k2",
    "RefusedYetKept":
        "begin b; until copy; put k 1; timeout; settle; sees k -",
    "FormerOwnerReads":
        "put k 1; as two; stale; begin b; settle; as one; put k 2; as two; sees k 2",
    # -------------------------------------------------- leases
    "ReadsByLease":
        "put k 1; as two; stale; fail a; fail a; begin b; settle; as one; put k 2; as two; sees k 2",
    "UnfencedLedger":
        "put k 1; as two; stale; fail a; fail a; begin b; settle; put k 2; as one; told 2 refused",
    "FlushedLate":
        "pause a; put k 1; begin b; settle; sees k 1",
    "SegmentsDropped":
        "put k 1; begin b; settle; restart b; sees k 1",
    # -------------------------------------------------- pulled on demand
    "PullOverwrites":
        "put k 1; settle; begin b; until pull; put k 2; settle; sees k 2",
    "DeletesForgotten":
        "put k 1; settle; begin b; until pull; delete k; settle; sees k -",
    "NothingBeforePulled":
        "put k 1; settle; begin b; until pull; sees k 1",
    "FormerOwnerApplies":
        "delay a; put k 1; advance 1; begin b; settle; heal; settle; sees k 1",
    "TimeoutMeansRefused":
        "delay a; put k 1; advance 1; timeout; heal; settle; told 1 failed",
    # -------------------------------------------------- actors
    "DuplicatesCounted":
        "duplicate a; add n 1; settle; sees n 1",
    "MemoryLeftBehind":
        "add n 1; settle; begin b; duplicate a; add n 1; settle; sees n 2",
    "MemoryEndsWithTheProcess":
        "duplicate a; add n 1; advance 2; restart a; settle; sees n 1",
    "RememberedOnArrival":
        "add n 1; advance 1; restart a; settle; sees n 1",
    "AwakeWhileSent":
        "add n 1; settle; begin b; until send; add n 1; settle; sees n 2",
    "ParkedForgotten":
        "add n 1; settle; begin b; until send; add n 1; settle; told 2 acknowledged",
    # -------------------------------------------------- shipped logs
    "ProducersForgotten":
        "begin b; until fetch; duplicate a; append l x; settle; sees l x",
    "GapsBelowTheHighest":
        "append l x; settle; move 1 b; advance 4; append l y; settle; sees l x,y",
    "LeaderAloneAcknowledges":
        "put k 1; settle; begin b; until in step; put k 2; settle; sees k 2",
    "ReadsBeyondTheWatermark":
        "append l x; settle; move 1 b; until in step; append l y; advance 3; get l; timeout; settle; same l",
    # -------------------------------------------------- ranges
    "IntentsLeftBehind":
        "put k 1; delay a; put_if k 1 2; advance 1; begin b; settle; put_if k 1 3; heal; settle; told 3 unequal",
    "BoundaryLost":
        "put k 1; split 0; split 1; settle; sees k 1",
    "MergedButKeptByNumber":
        "put k 1; put k2 1; merge 0 1; settle; begin b; settle; finds k k2",
    "NotFrozen":
        "put k 1; begin b; until copy; advance 13; put k 2; settle; sees k 2",
    # -------------------------------------------------- a primary that forwards
    "MissedButInSync":
        "put k2 1; put k4 1; settle; begin b; advance 2; put k 1; advance 4; fail b; settle; sees k 1",
    "RecoveryOverForwarded":
        "put k 1; settle; begin b; until recover; advance 2; put k 2; settle; sees k 2",
    "BlockedAfterAbort":
        "begin b; until hand over; advance 4; abort; serves k",
    "TwoPrimaries":
        "put k 1; settle; as two; stale; begin b; until clean up; as one; put k 2; advance 2; as two; sees k 2",
    "CopiesSearched":
        "put k 1; settle; begin b; until hand over; advance 9; finds k",
    "HandOverInMemory":
        "begin b; until hand over; advance 2; put k 1; advance 6; crash; settle; told 1 acknowledged",
    # -------------------------------------------------- states that merge
    "LastClockWins":
        "skew a; put k 1; heal; advance 1; put k 2; sees k 2",
    "OwnPartIsBest":
        "add n 2; begin b; settle; begin a; settle; sees n 2",
    "PartsAdded":
        "add n 2; begin b; settle; sees n 2",
}  # fmt: skip
