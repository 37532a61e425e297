//go:build !unix

package txn_test

// killed needs a signal that leaves a process no time.
func (w *world) killed() {}
