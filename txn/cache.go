package txn

import (
	"errors"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// A View of files that were read before costs a look at each, not a reading. What
// was read is still the newest committed version if
//
//   - the name still leads to the very file (by inode, size and times), so that no
//     program has changed it, and
//   - nobody has written to the journal's `state`, told in the same way: a commit
//     does that before its first record; or this store has the file's locks, in
//     which case nobody else can, and
//   - no nearer workspace has come to cover the file.
//
// Times vouch for that only if they were long past when they were taken: else there
// may be a later write in the same step of the clock. Each of several files is the
// same when it is looked at as it was when all were found in the cache: so what is
// found is one consistent state.

// cache is what a store has read, by name.
type cache struct {
	mu    sync.RWMutex
	files map[string]*cached
	bytes int64
}

// The bounds of a cache. Beyond them something is forgotten.
const (
	maxCached      = 1 << 12  // files
	maxCachedBytes = 64 << 20 // of their documents
)

// cached is the newest committed version of a file. It doesn't change.
type cached struct {
	real   string
	found  recovery.Found
	rev    uint64
	stands wal.FileID // what stands under the name
	held   *session   // this one has the file's locks: nothing more is to be asked

	state   string // the path of `state`,
	stateID wal.FileID
	nearer  []string // and where no workspace may be
}

func (c *cache) put(name string, e *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.files[name]; old != nil && old.held != nil || e.size() > maxCachedBytes {
		return // that is newer, or this too large
	}
	c.drop(name)
	for other, old := range c.files { // in no order: which one goes does not matter much
		if len(c.files) < maxCached && c.bytes+e.size() <= maxCachedBytes {
			break
		}
		if old.held == nil {
			c.drop(other)
		}
	}
	c.files[name] = e
	c.bytes += e.size()
}

func (e *cached) size() int64 { return e.found.Version.Size }

// drop forgets a file. The caller holds c.mu.
func (c *cache) drop(name string) {
	if e := c.files[name]; e != nil {
		c.bytes -= e.size()
		delete(c.files, name)
	}
}

// cachedSnapshot is a transaction on what is cached, nil where a file isn't, or may
// have changed.
func (s *Store) cachedSnapshot(names []string) *Tx {
	tx := newEmptyTx(s)
	entries := make([]*cached, 0, 8) // mostly enough, and then not on the heap
	s.cache.mu.RLock()
	for _, name := range names {
		entries = append(entries, s.cache.files[name])
	}
	s.cache.mu.RUnlock()
	for i, e := range entries {
		if e == nil || !s.current(names[i], e) {
			return nil
		}
		tx.add(&draft{name: names[i], real: e.real, found: e.found, doc: e.found.Doc, rev: e.rev})
	}
	return tx
}

// current tells that e is still the newest committed version.
func (s *Store) current(name string, e *cached) bool {
	id, err := s.src.FS.StatID(name)
	if err != nil || id != e.stands {
		return false
	}
	if e.held != nil {
		return true
	}
	id, err = s.src.FS.LstatID(e.state)
	if err != nil || id != e.stateID {
		return false
	}
	for _, meta := range e.nearer {
		if _, err := s.src.FS.LstatID(meta); !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}

// remember caches what a view has read, if it is a tracked document whose times
// vouch for it. asked is when the file's `state` was looked at, or earlier.
func (s *Store) remember(t *workspace.Target, asked time.Time) {
	found, st := &t.File.Found, t.File.Journal.State()
	if t.WS == nil || t.Plan != nil || st.Last == 0 || found.Info == nil || found.Doc == nil || !workspace.Steady(found.Info, found.At) {
		return
	}
	e := &cached{real: t.Real, found: *found, rev: st.Rev, stands: found.ID, state: wal.StatePath(t.Dir)}
	info, err := s.src.FS.Lstat(e.state)
	if err != nil || !workspace.Steady(info, asked) {
		return
	}
	e.stateID = wal.FileIDOf(info)
	for dir := filepath.Dir(t.Real); dir != t.WS.Root; dir = filepath.Dir(dir) {
		name, err := s.src.MetaName(dir, s.src.UserOf(found.Info))
		if err != nil {
			return
		}
		e.nearer = append(e.nearer, filepath.Join(dir, name))
	}
	s.cache.put(t.Name, e)
}

// publish caches the versions that are ahead of their files, all at one moment: for
// views of this store, which else would have to wait for the files.
func (ses *session) publish() {
	c := &ses.s.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range ses.Targets {
		c.drop(t.Name)
		if t.Ahead == nil {
			continue
		}
		e := &cached{real: t.Real, found: t.Current(), rev: t.Ahead.Rec.Rev, stands: t.File.Found.ID, held: ses}
		c.files[t.Name] = e
		c.bytes += e.size()
	}
}

// unpublish forgets what was published.
func (ses *session) unpublish() {
	c := &ses.s.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range ses.Targets {
		if e := c.files[t.Name]; e != nil && e.held == ses {
			c.drop(t.Name)
		}
	}
}
