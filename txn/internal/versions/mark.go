package versions

import (
	"errors"
	"fmt"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// MarkKind says how what was shown of a file differs from what its history and the
// plain file say.
type MarkKind uint8

const (
	// MarkEdited: another program has changed the file. It is shown as it stands, and
	// recorded by the next change, or by Recover.
	MarkEdited MarkKind = iota
	// MarkDeleted: another program has removed it.
	MarkDeleted
	// MarkDamaged: another program has left bytes that are no document.
	MarkDamaged
	// MarkBehind: what is shown is committed, and not in the plain file yet. Its
	// values are sure; the bytes may be others where the file was edited meanwhile.
	MarkBehind
	// MarkInDoubt: the file's last unit may or may not be committed. It is shown as
	// it stands.
	MarkInDoubt
	// MarkUnread: the journal can't be read by the caller, who may read the file.
	// That is shown as it stands.
	MarkUnread
	// MarkGone: the journal was there, and is gone. The file is shown as it stands.
	MarkGone
	// MarkMoved: another program has moved a file with a history to this name, which
	// has none yet. The history shown is that of the former name.
	MarkMoved
	// MarkAhead: the newest versions are dated in the future, since a clock was ahead. A
	// look at a time before doesn't find them: when they were made isn't known.
	MarkAhead
)

// Mark is a remark on what a look at a file has shown.
type Mark struct {
	File string // absolute
	Kind MarkKind
	Rev  uint64    // the newest committed revision
	Err  error     // why the file is damaged, in doubt, or its journal unread or gone
	From string    // absolute, where the file was moved from
	Time time.Time // of the newest revision, where that is still to come
}

// String is the remark without the file's name.
func (m Mark) String() string {
	switch m.Kind {
	case MarkEdited:
		return fmt.Sprintf("edited outside since @%d, not recorded yet", m.Rev)
	case MarkDeleted:
		return fmt.Sprintf("deleted outside since @%d, not recorded yet", m.Rev)
	case MarkDamaged:
		return fmt.Sprintf("damaged outside since @%d, not recorded yet (%v)", m.Rev, m.Err)
	case MarkBehind:
		return fmt.Sprintf("@%d is committed, not in the file yet", m.Rev)
	case MarkMoved:
		return fmt.Sprintf("moved from %s@%d by another program, not recorded yet", m.From, m.Rev)
	case MarkAhead:
		return fmt.Sprintf("@%d is dated %s, which is still to come: a clock was ahead. Until the next change no time finds it; @REV and @-1 do",
			m.Rev, m.Time.UTC().Format(time.RFC3339))
	case MarkInDoubt:
		var doubt *recovery.InDoubtError
		if errors.As(m.Err, &doubt) {
			return fmt.Sprintf("as it stands: transaction %s is in doubt, %s can't be looked at", doubt.Unit, doubt.Path)
		}
		return "as it stands: a transaction is in doubt"
	case MarkGone:
		return fmt.Sprintf("as it stands: %v", m.Err)
	default:
		why := m.Err
		var e *fault.Error
		if errors.As(why, &e) && e.Err != nil {
			why = e.Err // the file is named besides
		}
		return fmt.Sprintf("as it stands: its history can't be read (%v)", why)
	}
}

// markOf is the remark on a file that was looked at, if there is one to make.
func markOf(t *workspace.Target) (Mark, bool) {
	fp := t.Plan
	if t.Lost != nil {
		return Mark{File: t.Name, Kind: MarkGone, Err: t.Lost}, true
	}
	if fp == nil || fp.Newest == nil && !fp.InDoubt {
		return Mark{}, false
	}
	m := Mark{File: t.Name}
	if fp.Newest != nil {
		m.Rev = fp.Newest.Rev
	}
	switch {
	case fp.InDoubt:
		m.Kind, m.Err = MarkInDoubt, t.Doubtful()
	case fp.Case.Action == recovery.Adopt && fp.File.Found.Version.Exists:
		m.Kind = MarkEdited
	case fp.Case.Action == recovery.Adopt:
		m.Kind = MarkDeleted
	case fp.Case.Action == recovery.SetAside:
		m.Kind, m.Err = MarkDamaged, fp.File.Found.Err
	case fp.Case.Action == recovery.Settle, fp.Case.Action == recovery.Nothing:
		return Mark{}, false
	default:
		m.Kind = MarkBehind
	}
	return m, true
}

func (s *Source) Mark(m Mark) {
	if s.OnMark != nil {
		s.OnMark(m)
	}
}
