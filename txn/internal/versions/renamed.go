package versions

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// maxSearched is the size, in bytes, of the directory of all journals up to which it is
// searched for the former name of a file: some thousand entries. It takes a look at each
// name, and a commit must not get slow with the number of files.
const maxSearched = 128 << 10

// Former is the file that another program gave a new name, and where its history ended.
type Former struct {
	T   *workspace.Target
	lsn wal.LSN
	Rev uint64
	txn wal.ID // that made its last version
}

// FormerName finds, for a file that has no history, the tracked file that it was before
// another program renamed it: one that has gone, and had its inode, or the bytes in
// its last version. It is nil where there is none, or where the bytes are of several.
func (s *Source) FormerName(t *workspace.Target) (*Former, error) {
	if t.WS == nil {
		return nil, nil
	}
	info, err := s.FS.Stat(filepath.Join(t.WS.Meta(), workspace.FilesDir))
	if err != nil || info.Size() > maxSearched {
		return nil, fault.UnlessMissing(err)
	}
	files, err := s.TrackedFiles(t.WS)
	if err != nil {
		return nil, err
	}
	found, err := recovery.Read(s.FS, t.Real, wal.State{}, s.Limits)
	if err != nil || !found.Version.Exists {
		return nil, err
	}
	var alike []*Former
	for _, o := range files {
		if _, err := s.FS.Lstat(o.Real); o.Real == t.Real || !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		f, same, err := s.compareFormer(o, t.Real, found)
		switch {
		case errors.Is(err, fs.ErrPermission), errors.Is(err, fault.ErrDamaged):
			continue // it may be another; nothing is said of it
		case err != nil:
			return nil, err
		case same:
			return f, nil
		case f != nil:
			alike = append(alike, f)
		}
	}
	if len(alike) > 1 {
		alike = slices.DeleteFunc(alike, func(f *Former) bool { return filepath.Base(f.T.Real) != filepath.Base(t.Real) })
	}
	if len(alike) != 1 {
		return nil, nil
	}
	return alike[0], nil
}

// compareFormer tells whether a file that has gone was the very one that stands under
// another name now; else it is nil, unless its last version has the same bytes.
func (s *Source) compareFormer(o *workspace.Target, name string, found recovery.Found) (f *Former, same bool, err error) {
	_, st, ok, err := s.Stands(o)
	if err != nil || !ok || st.Pending || st.Last == 0 {
		return nil, false, fault.In(o.Name, err)
	}
	rec, err := s.VersionAt(o, st.Last)
	if err != nil || rec == nil {
		return nil, false, err
	}
	f = &Former{o, rec.LSN, rec.Rev, IdOf(rec)}
	last := rec.After
	if !last.Exists { // that it has gone is recorded already
		if rec.Flags&wal.FlagForeign == 0 || rec.Rev < 2 {
			return nil, false, nil
		}
		last, f.lsn, f.Rev = rec.Before, rec.LSN-1, rec.Rev-1
	} else if st.File.Dev == found.ID.Dev && st.File.Ino == found.ID.Ino && st.File.Ino != 0 {
		// A new file may have got the inode of one that was removed; but then it is
		// younger than the last look at that.
		birth := fsys.Birth(name)
		same = last == found.Version || !birth.IsZero() && birth.Before(time.Unix(0, st.Written))
	}
	if !same && last != found.Version {
		return nil, false, nil
	}
	return f, same, nil
}

// TellFormer says in the first record of a file what it was before. It is for people: a
// failure to find out leaves that out.
func (s *Source) TellFormer(t *workspace.Target, rec *wal.Record) {
	f, err := s.FormerName(t)
	if err != nil || f == nil || len(rec.Txns) == 0 {
		return
	}
	first := &rec.Txns[0]
	first.Message = ""
	first.Origins = append(first.Origins, wal.Origin{Kind: wal.OriginMoved, Txn: f.txn, Path: f.T.Rel, Rev: f.Rev})
}

// FormerOf is where the history goes on that begins with a record: that of the file
// which another program gave this name.
func (s *Source) FormerOf(t *workspace.Target, rec *wal.Record) *Former {
	if rec == nil || rec.Flags&wal.FlagForeign == 0 {
		return nil
	}
	for _, tx := range rec.Txns {
		for _, o := range tx.Origins {
			if o.Kind != wal.OriginMoved || !workspace.ValidRel(o.Path) || o.Path == t.Rel {
				continue
			}
			real := filepath.Join(t.WS.Root, filepath.FromSlash(o.Path))
			return &Former{T: &workspace.Target{Name: real, Real: real, WS: t.WS, Rel: o.Path, Dir: t.WS.FileDir(o.Path)}, Rev: o.Rev, txn: o.Txn}
		}
	}
	return nil
}
