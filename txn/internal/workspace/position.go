package workspace

import (
	"errors"
	"io/fs"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal"
)

// Position is where a file stands in its history. The same position before and
// after reading its bytes, and those of other files, means that nothing was
// committed in between.
type Position struct {
	last, applied wal.LSN
	gen           uint32
	pending       bool
	File          wal.FileID
}

// Position tells where t stands. settled is false where a commit is in progress
// or was cut off: `state` is marked pending from before the first record of a
// unit until all its files are in place.
func (s *Site) Position(t *Target) (pos Position, st wal.State, settled bool, err error) {
	pos, st, ok, err := s.Stands(t)
	switch {
	case err != nil:
		return pos, st, false, err
	case !ok:
		tracked, err := s.Tracked(t)
		return pos, st, !tracked, err
	case st.Boot == s.Boot || st.Pending || t.WS == nil:
		return pos, st, !st.Pending, nil
	}
	settled, err = s.believed(t, st)
	return pos, st, settled, err
}

// Stands is a position by what `state` says, whether or not that can be believed. ok
// is false where there is none.
func (s *Site) Stands(t *Target) (pos Position, st wal.State, ok bool, err error) {
	pos.File, err = s.FS.LstatID(t.Real)
	if err != nil && !errors.Is(err, fs.ErrNotExist) || t.WS == nil {
		return pos, st, true, fault.UnlessMissing(err)
	}
	if st, ok, err = wal.ReadState(s.FS, t.Dir); err != nil {
		return pos, st, false, err
	}
	pos.last, pos.applied, pos.gen, pos.pending = st.Last, st.Applied, st.Gen, st.Pending
	return pos, st, ok, nil
}

// believed tells that another boot's `state` is as good as this one's to somebody who
// only looks: it was settled with a version whose name was durable before, and the
// journal ends with that very record. That the file holds it is for the caller to see.
func (s *Site) believed(t *Target, st wal.State) (bool, error) {
	if st.Applied != st.Last {
		return false, nil
	}
	rec, err := wal.Tail(s.FS, t.Dir, st)
	if err != nil || rec == nil {
		return false, fault.UnlessMissing(err)
	}
	return rec.Kind != wal.KindInPlace && recovery.Named(st, rec), nil
}

// Tracked tells whether the file has a journal at all, where it has no readable
// `state`.
func (s *Site) Tracked(t *Target) (bool, error) { return wal.Exists(s.FS, t.Dir) }

// WasTracked is an error where a file without a journal had one.
func (s *Site) WasTracked(t *Target) error {
	_, st, _, err := s.Stands(t)
	if err != nil {
		return err
	}
	return wal.Gone(s.FS, t.Dir, st, s.Boot)
}

// Untouched tells by a file's times that nobody has changed it since jtx did. They say
// nothing of what happens within one step of the file system's clock, so a file that
// changed just now is read.
func Untouched(file wal.FileID, st wal.State) bool {
	return file == st.File && (file == wal.FileID{} || time.Since(time.Unix(0, file.Mtime)) > steadyAge)
}

// steadyAge is longer than the steps in which file systems count time.
const steadyAge = 50 * time.Millisecond

func Steady(info fs.FileInfo, at time.Time) bool { return at.Sub(info.ModTime()) > steadyAge }
