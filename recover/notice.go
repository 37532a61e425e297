package recovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// Notice is what became of a file without its user's having asked for it. It is told
// until somebody has read it. It has no content of the file.
type Notice struct {
	What NoticeKind `json:"what"`
	Time time.Time  `json:"time"`
	Kept string     `json:"kept,omitempty"` // the path of what was set aside, below the journal's directory in the file
	// Rev is, of a clash, the revision that stands again; the edit is the one before.
	Rev     uint64 `json:"rev,omitempty"`
	Unit    string `json:"unit,omitempty"`    // that was decided
	Outcome string `json:"outcome,omitempty"` // and how: committed or discarded
	Actor   string `json:"actor,omitempty"`   // by whom
}

// NoticeKind says what a notice is of.
type NoticeKind string

const (
	// NoticeAside is of bytes that stood under the name and were no document, or half of one.
	NoticeAside NoticeKind = "set-aside"
	// NoticeJournal is of a journal that was damaged.
	NoticeJournal NoticeKind = "journal-set-aside"
	// NoticeClash is of an edit beside a commit, with which it could not be kept together.
	NoticeClash NoticeKind = "clash"
	// NoticeDecision is of a unit in doubt that a person has decided.
	NoticeDecision NoticeKind = "decided"
)

const (
	noticesName = "unread"
	// maxNotices is how many are kept of a file: the newest.
	maxNotices = 100
	// maxNoticesSize is more than so many take.
	maxNoticesSize = 256 << 10
	// maxActor is how much of a name a notice has, in bytes.
	maxActor = 256
)

// Notices are those that nobody has read yet, oldest first. They are written before what
// they tell of is carried out: of what was then not kept there is nothing to tell.
func Notices(fsy fsys.FS, dir string) ([]Notice, error) {
	list, err := readNotices(fsy, dir)
	list = slices.DeleteFunc(list, func(n Notice) bool {
		if n.Kept == "" {
			return false
		}
		_, err := fsy.Lstat(n.Kept)
		return errors.Is(err, fs.ErrNotExist)
	})
	return list, err
}

func readNotices(fsy fsys.FS, dir string) (list []Notice, err error) {
	name := filepath.Join(dir, noticesName)
	data, err := fsys.ReadAtMost(fsy, name, maxNoticesSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("what nobody has read of it yet: %s: %w", name, err)
	}
	for i := range list {
		if list[i].Kept == "" {
			continue
		}
		if !filepath.IsLocal(list[i].Kept) {
			return nil, fmt.Errorf("%s: %q is not in the journal's directory", name, list[i].Kept)
		}
		list[i].Kept = filepath.Join(dir, list[i].Kept)
	}
	return list, nil
}

// Tell durably adds a notice to those of a file, unless it is there. The caller holds the
// file's lock.
func Tell(fsy fsys.FS, dir string, n Notice) error {
	list, err := readNotices(fsy, dir)
	if err != nil {
		list = nil // what can't be read tells nobody anything
	}
	if slices.ContainsFunc(list, n.same) {
		return nil
	}
	n.Time = now()
	list = append(list, n)
	return writeNotices(fsy, dir, list[max(0, len(list)-maxNotices):])
}

// same tells that two notices are of one event.
func (n Notice) same(other Notice) bool {
	return other.What == n.What && other.Kept == n.Kept && other.Rev == n.Rev && other.Unit == n.Unit && other.Outcome == n.Outcome
}

func writeNotices(fsy fsys.FS, dir string, list []Notice) (err error) {
	for i := range list {
		if list[i].Kept == "" {
			continue
		}
		if list[i].Kept, err = filepath.Rel(dir, list[i].Kept); err != nil {
			return err
		}
	}
	data, err := json.Marshal(list)
	if err != nil {
		return err
	}
	info, err := fsy.Stat(dir)
	if err != nil {
		return err
	}
	// Whoever may look into the directory may read the journal.
	if err := fsys.WriteFileAtomic(fsy, filepath.Join(dir, noticesName), append(data, '\n'), info.Mode().Perm()&0o666); err != nil {
		return err
	}
	return fsys.SyncDir(fsy, dir)
}

// Seen ends the telling of what a file's notices say. The caller holds the file's lock.
func Seen(fsy fsys.FS, dir string) error {
	err := fsy.Remove(filepath.Join(dir, noticesName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (f *File) tell(n Notice) error { return Tell(f.FS, f.Dir, n) }

// tellAside says that bytes of a version are kept.
func (f *File) tellAside(v wal.Version) error {
	return f.tell(Notice{What: NoticeAside, Kept: f.asideName(v)})
}

// tellClash says of a clash record that the edit in it does not stand any more, before
// that is carried out: so it is said again by who goes on after a crash. Of an edit
// that was carried over there is nothing to say.
func (f *File) tellClash(rec *wal.Record) error {
	if rec == nil || rec.Kind != wal.KindClash || rec.Before != rec.After || settled(f.Journal, rec) {
		return nil
	}
	return f.tell(Notice{What: NoticeClash, Rev: rec.Rev})
}

// tellDecision says how a person has decided a unit.
func (f *File) tellDecision(unit wal.ID, outcome wal.Outcome, actor string) error {
	return f.tell(Notice{What: NoticeDecision, Unit: unit.String(), Outcome: outcomeText(outcome), Actor: actor[:min(len(actor), maxActor)]})
}

// tellDecided says in the files of a unit that a person has decided that it is committed:
// some may not have been there then.
func (u *UnitPlan) tellDecided() error {
	if u.Case != DecideUnit(UnitDecided) {
		return nil
	}
	for _, f := range u.Holders {
		if err := f.tellDecision(u.Unit, wal.OutcomeCommitted, ""); err != nil {
			return err
		}
	}
	return nil
}
