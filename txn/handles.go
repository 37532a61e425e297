package txn

import (
	"sync"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// handles are the journals that a store keeps open between transactions, and what
// it last found under the files' names: by the directories of the journals. Without
// the file's lock nothing of that is believed. With it, the journal is looked at for
// what other processes have appended, and the file for whether it is still the same.
type handles struct {
	mu     sync.Mutex
	closed bool
	open   map[string]*handle
	bytes  int64
}

type handle struct {
	log   *wal.Log
	found recovery.Found
	a     workspace.Access // that of what the journal makes
}

// The bounds of what is kept. A journal has three files open.
const (
	maxHandles     = 128
	maxHandleBytes = 32 << 20 // of documents
)

// take gives a handle to the one that holds the lock of its file; nil where there is
// none.
func (h *handles) take(dir string) *handle {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := h.open[dir]
	if k != nil {
		h.bytes -= k.found.Version.Size
		delete(h.open, dir)
	}
	return k
}

// keep takes a handle back. Others give way where there are too many, whichever.
func (h *handles) keep(dir string, k *handle) {
	size := k.found.Version.Size
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || size > maxHandleBytes || h.open[dir] != nil {
		_ = k.log.Close() // nothing is buffered
		return
	}
	for other, old := range h.open {
		if len(h.open) < maxHandles && h.bytes+size <= maxHandleBytes {
			break
		}
		_ = old.log.Close()
		h.bytes -= old.found.Version.Size
		delete(h.open, other)
	}
	h.open[dir] = k
	h.bytes += size
}

func (h *handles) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for dir, k := range h.open {
		_ = k.log.Close()
		delete(h.open, dir)
	}
}

// journal opens the journal of a file whose lock is held, or goes on with the one
// that was kept.
func (s *Store) journal(t *workspace.Target, a workspace.Access) (*wal.Log, *recovery.Found, error) {
	k := s.handles.take(t.Dir)
	if k == nil {
		log, err := s.src.OpenLog(t, a)
		return log, nil, err
	}
	if k.a != a || k.log.Refresh() != nil {
		_ = k.log.Close()
		log, err := s.src.OpenLog(t, a)
		return log, nil, err
	}
	return k.log, &k.found, nil
}

// keepHandles keeps the session's journals.
func (ses *session) keepHandles() {
	for _, t := range ses.Targets {
		a, err := ses.s.src.AccessFor(t)
		if err == nil && t.File != nil {
			ses.s.handles.keep(t.Dir, &handle{log: t.File.Log, found: t.File.Found, a: a})
			t.File = nil
		}
	}
}
