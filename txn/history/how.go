package history

// How histories are read.
//
// Order in time. A unit's time is the clock's, or 1 ns behind the newest record of any file
// that it locked, read or written, where the clock is not ahead of that. state has the newest
// record's time, so this costs no read. Where a clock was ahead once, all that comes behind is
// so dated behind it, and each record has what its own clock said besides: that is what is
// shown, and what a time that a person means is compared with. What was made by the clock that
// was ahead counts where the next record does, with its whole unit (versions.Moment); where
// there is none yet, nobody knows when it was made, and that is said. All records of a unit have one
// time. So sorting by time never puts an effect before its cause, and "the state at T" never
// shows a part of a unit. A unit's id is made of its time: a transaction is found by binary
// search over segments, as a revision and a time are.
//
// Heads. A reader of several histories first notes where each ends, all at one moment: through
// the door to look. What is behind does not count for it.
//
// Versions. Records that were taken back, and inplace records that only say how the version
// before was written, are none. A version is the nearest image at or before it and the patches
// since; images come when the patches behind the last one exceed 32 KB and the file's size.
//
// A plain move (txn/internal/versions/renamed.go), by another program: the first record of a file that had no
// history names the tracked file that has gone and had its inode (and was made before the last
// look at that: inodes are used again) or, if only one has, the bytes of its last version. Its
// history goes on there, until the first record in memory alone. Where a workspace has more
// than some thousand journals nobody looks, since that takes a look at each name.
//
// Move and copy are units of two files and of one, whose message names the file and revision
// that the content is from. The staged file gets mode, owner and attributes of that file, less
// what a file that it replaces did not allow; and its journal, before anything is written to
// it, is narrowed likewise, durably and under the lock. A crash between the commit point and
// the rename leaves the name to recovery, which knows by the mode of the journal's directory
// whom the content is for: a new file gets what that allows, and one that was there no more. So
// a journal is widened only by who holds its lock and has found it settled (session.widen). The
// owner and the attributes are then those of the file that was there.
//
// Watch keeps a cursor, an LSN, for each file, and yields what lies between the cursors and the
// heads, units that share a file in the order of their LSNs. Heads are of one moment, and of
// all files tracked at that moment: so a unit of several files is one entry, and one that makes
// a file does not come twice. Revisions without a gap prove that none is missed; a gap means
// that retention was faster, and is an error, as is a journal that was begun anew. Since files
// without a common unit may show in another order than that of their times, only the revision
// of each file resumes exactly; a time does for files that nobody writes at that moment. An
// edit from outside is recorded when it is seen, as any other access would; bytes that are no
// document wait until they are one. Events of the file system only end the wait sooner: what a
// look finds does not depend on them.
//
// Undo's record has what it undoes as its origin. Where a file is byte for byte what the
// transaction left, it becomes what it was before; so undoing the newest first always comes
// home. Else the document's shape (its values as nodes, read where somebody looks) is carried
// through the transaction, then through everything after it, with nodes keeping their identity
// through moves and array shifts, and an element that was removed keeping its place. A
// transaction that takes others back gives back the very nodes that they had removed, and what
// they touched counts no more. Then the operations are taken back, the last first, on the
// nodes: a node that was changed, replaced or left since, or a slot that was filled, is a
// conflict that names both changes. What comes back has its old text, with its comments, at its
// old neighbours (jsonpatch.Slot); the transaction's splices, reversed and moved along by all
// later ones, are used where they meet none of those and give the same value; and where all
// that came since a former version is taken back by now, its bytes are.
//
// Blame of a pointer walks back, turning it through each operation, and stops at the one that
// set the value; blame of a file carries the shape forward once.
//
// Restore of a damaged file commits a record flagged found, whose before is what the damaged
// bytes were: so recovery can tell its rename from a new edit.
