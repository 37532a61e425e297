package main

// survivors are mutants that an earlier trial's tests let live.
var survivors = []string{
	"lockmgr.look: say yes: os.SameFile(locked, now)",
	"recover: open it to all: asideMode = 0o600",
	"recover.Replacement.Place: ignore the error: if err := r.Unchanged(); err != nil",
}
