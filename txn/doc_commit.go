package txn

// The two doors.
//
// To look: Source.AtRest (txn/internal/versions). Positions (state, and the identity of what stands under the name), the
// reading, positions again: unchanged and settled means one moment at which no commit was in
// progress in any of the files. After three races: shared locks, of the files and of all
// participants of their last units. It writes nothing, and makes nothing: what a crash or
// another program left is planned in memory, as recovery would decide, and marked: "edited
// outside since @7, not recorded yet", "@8 is committed, not in the file yet" (its values are
// promised then, not its bytes). Whoever changes something next, begin, recover, protect, watch
// and backup record, redo, set aside; several edits between two of those come together as one.
//
//   - What counts for a looker (recovery.Lasting): a record that state does not know of, by
//     last or durable, was never acknowledged, and may be in the page cache only. It counts if
//     state was last written in another boot, or if putting it in place has begun in any of its
//     unit's files: its staged inode stands under the name, or the name for what was displaced
//     is taken. Else the version before it is the answer. So nothing is shown that a later look
//     takes back. A commit that is acknowledged while its file lags writes state once more
//     before it says so.
//   - After a reboot another boot's state is believed, for looking, where it is not pending,
//     the journal ends with the very record that it names, whose name was durable and which was
//     not written in place, and the bytes have its hash (by inode, size and times, older than
//     50 ms, where the bytes are not asked for).
//   - A file that is absent, or no document, is looked at again for 100 ms if its directory, or
//     itself, changed just now: editors remove, or truncate, then write.
//   - Whoever may read a file and not its journal gets the bytes, with a mark, of one file
//     alone.
//   - A workspace that was placed and is not active yet is looked past: nobody has used it.
//
// To act: Store.locked. Locks in order, recovery, then act; the files stay locked until it has
// returned, or a little longer, see below.
//
// At the doors, for all: what was recovered or set aside is told (Options.OnRecovery, on
// stderr; -q does not mute it), marks too (Options.OnMark); an error is copied before a file's
// name is put into it; one file's trouble does not stop the others.
//
// Programs that take no lock.
//
// A program that takes no lock can save at any instant. What it saves becomes a version of its
// own:
//
//   - before the file is read: adopted as a recorded transaction
//   - after that, before step 5: the transaction runs again on the new bytes
//   - between step 5 and the exchange, by rename or by truncating: the exchange brings its file
//     out under the temporary name: it is recorded as the revision before the one that now
//     stands
//   - after the exchange, by rename or a fresh open: an edit like any other, adopted at the
//     next access; where the process died before it had settled, see Rebase
//   - through a descriptor opened before the exchange, written after step 6: lost: its file has
//     no name any more. Editors that truncate first are seen at step 5; one that opens, waits,
//     and overwrites without truncating is not
//
// A file of several hard links is refused unless --in-place is asked for. Where a file can't be
// renamed over (a mount point, by statx; else EBUSY), or in-place is asked for, the record is
// of kind inplace and has the whole new content, and is durable before the first byte is
// written; while it is not settled, what stands under the name is set aside and the image
// written again. Between the last look and the first byte, a save by another program is
// overwritten unseen.
//
// What another program saved is synced before it counts as a version: it may not have done so
// itself.
//
// Durability levels.
//
// A unit of several files is written at journal at least: unsynced, a part of it could survive.
// At none records that outlived a power cut intact are kept and redone, rather than discarded:
// their chain is whole, and a unit of one file depends on no other. The first such record
// behind a synced one is synced, so that the journal itself says that lazy writes have begun.
// Broken bytes under the name of a file last written at none are set aside and redone, not
// reported as damage.
//
// What is kept between transactions.
//
// A process that lives long uses one store, and pays once for what a one-shot command pays each
// time. None of this is needed for a promise, and nothing of it is believed without a look that
// would show if it no longer held.
//
//   - parked sessions: locks, journals and documents of a transaction that is over, 1 ms; at
//     write-behind 10 ms, if at each ms nobody waits for the locks: nobody else can write to
//     the journals, nor can a nearer workspace become active; that the name still leads to the
//     very file is looked at (one stat) (txn/park.go)
//   - spares: what came out from under a file's name, to be overwritten by a later content, as
//     long as the session is parked: nobody else can see it change, see below
//     (recover/spare.go)
//   - room in the journal: zeros behind the last record, until the locks are given back: nobody
//     else can write to the journal; readers without a lock take it for a torn tail, and look
//     again where they met a record that is just being written (lookAgain in wal/scan.go)
//     (wal/room.go)
//   - journals and documents, without locks, at most 128 files, 32 MB: under the lock again,
//     state and the tail segment are compared with what was left (wal.Log.Refresh), the file by
//     inode, size and times (txn/handles.go)
//   - what views have read, at most 4,096 files, 64 MB: a stat of the file and of state, and of
//     the places where a nearer workspace would be. Times count only where they were 50 ms old
//     when they were read: else there may be a second write within one step of the clock
//     (txn/cache.go)
//
// A parked session yields at once to anybody in its process (lockmgr.Held.Idle); that another
// process waits it sees by the mark on the lock file, when a transaction is over and at each
// ms. A caller that comes back at once has 16 transactions before it gives way to another
// process, or 20 ms: the hand-over takes as long as a small commit.
//
// Group commit.
//
// Transactions that come for the same files while one is being committed wait, and are
// committed together next: each runs on what the one before leaves, on its own goroutine; all
// are one unit, one record with several transactions in each journal, one flush, one rewrite,
// one revision. One that fails or panics takes back only its own. Where the commit itself
// fails, the leader gets the error, and the others are tried again without it: so nobody is
// told of somebody else's failure. A lone writer waits for nobody; a leader whose forerunner
// had company lets ready goroutines run first. Transactions over other files run beside: their
// journals' syncs meet in the file system's own group commit, and a unit of unrelated files
// would bind the fate of each to that of all.
//
// Write-behind.
//
// Options.WriteBehind acknowledges at the commit point. The journals durably have the record,
// flagged behind; state stays pending, and the version is held in memory; the next transaction
// goes on from there, with one append and one sync. state is written once more before the
// acknowledgement (unit.lookBack): that fails where the disk went away while it said yes to the
// sync, and then it is asked again. The file follows before the locks are given back: when
// nobody uses them for 10 ms, when somebody else wants them, when it has lagged for Delay while
// transactions keep coming, when all that lags exceeds Bytes (then each transaction waits for
// its files), at Flush, at Close. It is replaced as at full, its directory synced before state
// says so. So whoever else locks the file finds it in step, unless its writer died: then it
// finds a pending file and carries it forward, as after any crash. What can't be carried
// forward (a full disk) is no error of what was acknowledged: it is tried again each second,
// and Flush and Close say why. What recovery finds where no Result tells it, a clash say,
// Options.OnRecovery is told.
//
// Transactions that make or remove a file, touch it for the first time, write in place, or have
// options of their own (leases, expected revisions) are not behind: what lags is carried
// forward before them. An edit by another program while a file lags is compared with the
// version it can have been made from, see Recovery.
