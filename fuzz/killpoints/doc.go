// Package killpoints runs a command and kills it, or fails one of its system
// calls, at every mutating system call that it makes.
//
// # What it proves
//
// The real binary with the real kernel, libraries and runtime in it: whatever is
// written past the injected file-system interface is among the calls. The state
// behind a kill is what the next process finds; a check says whether it is right,
// and whether the answer that the command gave, if it gave one, was true.
//
// Calls are counted over all threads and child processes of the command, so that
// [InjectEach] reaches every one although goroutines change threads.
// A call counts where it changes a file or directory; pipes and event
// descriptors don't, as the runtime writes to those on its own account.
//
// # What it does not prove
//
// A kill loses nothing that was written: power cuts are the business of package
// crashfs. A failed call has no effect here; on a real disk it may have
// had a part of it. Only Linux on amd64 is traced; elsewhere tests skip.
package killpoints
