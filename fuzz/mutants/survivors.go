package main

// judged is a mutant and the tests that must kill it.
type judged struct {
	mutant string
	stage
}

// survivors are mutants that an earlier trial's tests let live, what each of them breaks,
// and the tests that were written for it.
var survivors = []judged{
	// What retention drops is not answered for where others may still ask.
	{"appendFacts: say &&: asked == nil || r.Flags&FlagResumed != 0", stage{"wal", only("TestFactsOfWhatCameBehindACutOffCommit")}},
	{"mayAsk: say <: st.Durable <= p.LSN", stage{"txn/admin", only("TestCompactionKeepsTheFateOfUnits")}},
	// A record that was dropped is taken for committed.
	{"dropped: say committed: return UnitUnknown, nil", stage{"recover", only("TestUnitTableOfWhatWasDropped")}},
	{"dropped: never: fact.Unit != unit", stage{"recover", only("TestUnitTableOfWhatWasDropped")}},
	// There is no second look for a nearer workspace.
	{"lock: ignore the error: if err := ses.recheck(); err != nil", stage{"txn", only("TestANearerWorkspaceAppearsBeforeTheLock")}},
	// There is no look at the lock file's inode after flock.
	{"look: say yes: os.SameFile(locked, now)", stage{"lockmgr", only("TestAReplacedLockFileIsSeen")}},
	// There is no last look at the targets of a unit's later files.
	{"unchanged: ignore the error: if err := f.repl.Unchanged(); err != nil", stage{"txn", only("TestASaveBeforeTheCommitRunsTheUnitAgain")}},
	{"Place: ignore the error: if err := r.Unchanged(); err != nil", stage{"recover", only("TestPlaceSeesASave")}},
	// A workspace is activated over files that could not be carried forward.
	{"activate: ignore the error: if err != nil #2", stage{"txn", only("TestAWorkspaceCantTakeOverWhatLags")}},
	// A state that names no record leads to a file.
	{"namesTail: say >=: s.LastSize > 0", stage{"wal", only("TestTailOfNothing")}},
	// What is set aside is open to all.
	{"const: open it to all: asideMode = 0o600", stage{"txn", only("TestWhatIsSetAsideIsForItsOwner")}},
}
