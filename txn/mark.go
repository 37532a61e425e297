package txn

import "github.com/jtx-project/jtx/txn/internal/versions"

// Mark is a remark on what a look at a file has shown: of which file (File, absolute) and
// kind it is, the newest committed revision (Rev), why the file is damaged, in doubt, or
// its journal unread (Err), and where it was moved from (From). String is the remark without
// the file's name.
type Mark = versions.Mark

// MarkKind says how what was shown of a file differs from what its history and the
// plain file say.
type MarkKind = versions.MarkKind

// The kinds of marks.
const (
	// MarkEdited: another program has changed the file. It is shown as it stands, and
	// recorded by the next change, or by a sweep.
	MarkEdited = versions.MarkEdited
	// MarkDeleted: another program has removed it.
	MarkDeleted = versions.MarkDeleted
	// MarkDamaged: another program has left bytes that are no document.
	MarkDamaged = versions.MarkDamaged
	// MarkBehind: what is shown is committed, and not in the plain file yet. Its
	// values are sure; the bytes may be others where the file was edited meanwhile.
	MarkBehind = versions.MarkBehind
	// MarkInDoubt: the file's last unit may or may not be committed. It is shown as
	// it stands.
	MarkInDoubt = versions.MarkInDoubt
	// MarkUnread: the journal can't be read by the caller, who may read the file.
	// That is shown as it stands.
	MarkUnread = versions.MarkUnread
	// MarkMoved: another program has moved a file with a history to this name, which
	// has none yet. The history shown is that of the former name.
	MarkMoved = versions.MarkMoved
	// MarkAhead: the newest versions are dated in the future, since a clock was ahead. A
	// look at a time before doesn't find them: when they were made isn't known.
	MarkAhead = versions.MarkAhead
)
