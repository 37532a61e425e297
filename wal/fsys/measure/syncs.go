package measure

import (
	"io/fs"
	"sync/atomic"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Syncs is a file system that counts the fsyncs and fdatasyncs of files and of
// directories.
type Syncs struct {
	fsys.FS
	n atomic.Int64
}

// Count is how many there were so far, failed ones too.
func (s *Syncs) Count() int64 { return s.n.Load() }

// OpenFile opens a file whose syncs are counted.
func (s *Syncs) OpenFile(name string, flag int, perm fs.FileMode) (fsys.File, error) {
	f, err := s.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &syncsFile{f, s}, nil
}

type syncsFile struct {
	fsys.File
	of *Syncs
}

func (f *syncsFile) Sync() error     { return f.BeforeSync().Sync() }
func (f *syncsFile) Datasync() error { return f.BeforeSync().Datasync() }

// BeforeSync counts, so that several syncs at once are made as without counting.
func (f *syncsFile) BeforeSync() fsys.File {
	f.of.n.Add(1)
	return f.File
}
