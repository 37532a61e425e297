package txn

// How histories are read, and kept.
//
// Order in time. A unit's time is the clock's, or 1 ns behind the newest record of any file
// that it locked, read or written, where the clock is not ahead of that. state has the newest
// record's time, so this costs no read (a clock that was ahead once so dates all that comes
// behind it; a look for a version by time says that, MarkAhead). All records of a unit have one
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
// A plain move (txn/renamed.go), by another program: the first record of a file that had no
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
// Retention. The cut is the newest image from which every kept version can be derived. A
// commit, or the adoption of an edit, compacts a journal over 64 MB, looking only when it has
// begun a segment, and only where that at least halves it: the cost is in proportion to what
// was written. What other journals may still ask of dropped records is answered by facts in the
// record with which the new generation begins (see the package documentation of wal): of each
// record of several files whose other journals are not known to be durably past it, and of each
// behind a commit that was cut off. What has no fact is unknown (in doubt), never committed. No
// other file is locked for that.
//
// Redaction replaces the values in each version, derives the patches anew where they gave the
// pointer a value, and makes the chain anew in a new generation. First it cleans what is beside
// the journal: set-aside copies and journals, the log of operations, and messages in the
// journals of the transactions' other files, whose locks it takes along; those that hold a
// value themselves are named. So one that was cut off can be run again.
//
// A backup is checked as a stream, and never trusted: paths stay below the directory, also
// through links, a former one must hold what it held, and none builds on itself. A file that
// comes back from one, and its journal, are narrowed as a moved one.
//
// Restore of a damaged file commits a record flagged found, whose before is what the damaged
// bytes were: so recovery can tell its rename from a new edit.
//
// Protected files.
//
// .jtx/config.json has patterns of files that matter. Any program may make such a file at any
// time, so what has no history yet is looked for: what only reads (status, verify) shows it as
// untracked and creates nothing; protect, protect --heal, recover, backup and, after its
// commit, every changing verb take its first image. That is no part of the commit, waits for
// nobody, and is done for at most 32 files at a time. A change looks for files of a pattern
// with in the directories of its own files only, so that its cost does not grow with the tree.
// A file that holds no JSON and has no version is reported as damaged, by name, and left alone.
//
// protect --heal and the functions of jtx shellenv bring the last good version of a damaged one
// back. A file that is no JSON is looked at again after 100 ms: editors truncate, then write.
