// Package txn changes JSON files in transactions. The files stay ordinary files;
// there is nothing to set up:
//
//	err := txn.Do([]string{"accounts/a.json", "accounts/b.json"}, func(tx *txn.Tx) error {
//		...
//		return tx.Set("accounts/a.json", "/balance", 70)
//	})
//
// When [Do] returns nil, both files show the change, whole, to any reader, and it
// survives kill -9 and a power cut. When it returns an error, neither was
// changed, unless the error is [ErrInDoubt]. A crash in the middle is repaired by
// whoever next uses one of the files through jtx.
//
// # Which one to take
//
//   - [Do] changes files, and [View] reads them in one consistent state: each takes
//     the names of all files, and a function that gets a [Tx]. [Update] is Do of one file
//     as a Go value. DoContext, ViewContext and UpdateContext can be cancelled.
//   - In the function, [Tx.Get], [Tx.Decode] and [Tx.Bytes] read, [Tx.Set], [Tx.SetPath],
//     [Tx.Delete], [Tx.Patch] and [Tx.Merge] change. The function may run more than once,
//     so it must do nothing else that counts; an error of it takes everything back.
//   - [Open] gives a [Store]: for a directory, with [Options], and a [Result] of each
//     transaction. A service keeps one, and calls [Store.Close] at its end; with
//     [WriteBehind] its plain files follow a little later.
//   - [Store.Begin] is for what takes longer than a function, or several processes: the
//     transaction lies on the disk until it is committed or aborted.
//
// A place in a file is an RFC 6901 pointer. Every change is an RFC 6902 patch, applied to
// the file's own bytes: key order, indentation, number literals and comments outside the
// changed places stay.
//
// # Errors
//
// What goes wrong with a file is an *[Error] with its name, and of a kind that errors.Is finds:
// [ErrConflict] (somebody else was faster, or a test failed: nothing was changed, and the
// work may be tried again), [ErrLockTimeout], [ErrInvalid], [ErrNotFound], [ErrDamaged], and
// [ErrInDoubt], the only one after which the change may be there.
//
// # More
//
// What happened, taking it back, and waiting for more is package txn/history; checking,
// healing, backing up and keeping less is package txn/admin. [Asking], [Drafts], [Linked],
// [OpenIn], [SweepTxs], [Told], [TxDirs] and [Within] are for these two alone: nobody else can
// use what they return. DESIGN.md tells how all of it works, in the order in which one change
// goes to the disk.
package txn
