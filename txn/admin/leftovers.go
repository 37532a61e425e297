package admin

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// leftovers knows in which directories a crash may have left something beside the files.
// It reads each once.
type leftovers struct {
	house
	mu   sync.Mutex
	dirs map[string]bool
}

func newLeftovers(s house) *leftovers { return &leftovers{house: s, dirs: map[string]bool{}} }

// nothingToDo tells of a file that a sweep would find nothing to do in it: it is as jtx
// left it, so is its journal's mode, and there is nothing of jtx's beside it.
func (l *leftovers) nothingToDo(t *workspace.Target) bool {
	if _, quiet := l.Quiet(t); !quiet || l.in(filepath.Dir(t.Real)) || l.inJournal(t.Dir) {
		return false
	}
	file, err := l.FS.Lstat(t.Real)
	if err != nil {
		return false
	}
	dir, err := l.FS.Lstat(t.Dir)
	if err == nil {
		err = l.LookAround(t)
	}
	return err == nil && dir.Mode().Perm() == t.AccessOf(t.Real, file).Dir.Perm()
}

// inJournal tells whether there may be leftovers beside a journal: in those that have
// been compacted, or have sub-directories, they are looked for more closely.
func (l *leftovers) inJournal(dir string) bool {
	entries, err := l.FS.ReadDir(dir)
	return err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return e.IsDir() && e.Name() != workspace.DamagedDir || strings.HasSuffix(e.Name(), ".tmp")
	})
}

// in tells whether there may be leftovers in a directory.
func (l *leftovers) in(dir string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	may, known := l.dirs[dir]
	if !known {
		entries, err := l.FS.ReadDir(dir)
		may = err != nil
		for _, e := range entries {
			may = may || strings.HasPrefix(e.Name(), workspace.MetaDir+"-")
		}
		l.dirs[dir] = may
	}
	return may
}
