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
// [View] reads several files in one consistent state. [Open] gives a [Store] for
// a directory, with options, a context, results, and transactions that live
// longer than a function ([Store.Begin]). [Update] is typed. A history that tells, undoes
// and watches is package txn/history; checking, healing and backing up is package txn/admin.
//
// Every change is an RFC 6902 patch, applied to the file's own bytes: key order,
// indentation, number literals and comments outside the changed places stay.
package txn
