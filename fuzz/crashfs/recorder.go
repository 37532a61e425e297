package crashfs

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Recorder is a file system over a real directory that logs what is done to it.
// Operations outside that directory pass through unseen. It may be used by many
// goroutines: one mutex makes the order of events the order in which they
// happened, and only syncs run in parallel.
type Recorder struct {
	inner fsys.FS
	dir   string // absolute, with links resolved
	alias string // as it was given
	watch func(rel string) bool

	mu     sync.Mutex
	tree   *tree
	base   snapshot
	events []Event
}

var _ fsys.FS = (*Recorder)(nil)

// An Option changes a Recorder.
type Option func(*Recorder)

// Watch limits the search for foreign writes to the directories, by path
// relative to the recorded one, for which f is true. Without it all are searched.
func Watch(f func(rel string) bool) Option { return func(r *Recorder) { r.watch = f } }

// WatchJournals is for Watch: directories of tracked files and wal.N, where a library
// writes past the interface. It is faster in large trees, and blind to an editor
// that saves where the program does not touch anything.
func WatchJournals(rel string) bool {
	return filepath.Base(filepath.Dir(rel)) == "files" || strings.HasPrefix(filepath.Base(rel), "wal.")
}

// NewRecorder starts to record operations that are made through inner on dir.
// What dir holds now counts as durable. inner may inject faults.
func NewRecorder(inner fsys.FS, dir string, options ...Option) (*Recorder, error) {
	alias, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	real, err := filepath.EvalSymlinks(alias)
	if err != nil {
		return nil, err
	}
	r := &Recorder{inner: inner, dir: real, alias: alias, watch: func(string) bool { return true }}
	for _, o := range options {
		o(r)
	}
	if r.tree, err = newTree(real); err != nil {
		return nil, err
	}
	r.base = r.tree.freeze()
	return r, nil
}

// Point puts a mark into the log, after the writes that were made until now.
// A test calls it where its workload has been told of a success.
func (r *Recorder) Point(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.observe()
	r.emit(Event{Op: OpPoint, Name: name})
}

// Pointf is Point with a format.
func (r *Recorder) Pointf(format string, args ...any) { r.Point(fmt.Sprintf(format, args...)) }

// Observe logs the foreign writes of which no event has told yet.
func (r *Recorder) Observe() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.observe()
}

// Log is what was recorded until now.
func (r *Recorder) Log() *Log {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.observe()
	return &Log{Events: slices.Clone(r.events), base: r.base, inodes: maps.Clone(r.tree.numbers)}
}

func (r *Recorder) emit(e Event) { r.events = append(r.events, e) }

// rel is the path within the recorded directory, if it lies there.
func (r *Recorder) rel(name string) (string, bool) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", false
	}
	if rel, ok := below(r.dir, abs); ok {
		return rel, true
	}
	return below(r.alias, abs)
}

// find resolves a path that lies in the recorded directory.
func (r *Recorder) find(name string, follow bool) (place, string, bool) {
	rel, ok := r.rel(name)
	if !ok {
		return place{}, "", false
	}
	p, err := r.tree.resolve(rel, follow, r.dir)
	if err != nil || (p.dir == nil && p.node == nil) {
		return place{}, rel, false
	}
	return p, rel, true
}

// begin observes, so that an event is logged after the foreign writes that
// came before it. The directories that the paths name are always compared.
func (r *Recorder) begin(names ...string) {
	r.observe()
	for _, name := range names {
		if rel, ok := r.rel(name); ok {
			r.observeDir(filepath.Dir(rel))
		}
	}
}

// OpenFile implements fsys.FS.
func (r *Recorder) OpenFile(name string, flag int, perm fs.FileMode) (fsys.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begin(name)
	p, rel, ok := r.find(name, flag&syscall.O_NOFOLLOW == 0)
	f, err := r.inner.OpenFile(name, flag, perm)
	if err != nil || !ok {
		return f, err
	}
	n := p.node
	switch {
	case n == nil:
		if n, err = r.created(p, rel, f); err != nil {
			return nil, fmt.Errorf("crashfs: %w (and close: %w)", err, f.Close())
		}
	case flag&os.O_TRUNC != 0 && len(n.data) > 0:
		n.data = nil
		r.emit(Event{Op: OpTruncate, Node: n.id, Path: rel})
	}
	h := &handle{File: f, r: r, node: n, path: rel, appends: flag&os.O_APPEND != 0}
	h.refresh()
	return h, nil
}

func (r *Recorder) created(p place, rel string, f fsys.File) (*node, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	n := r.tree.add(kindFile, st, "")
	r.tree.bind(p.dir, p.name, n)
	r.emit(Event{Op: OpCreate, Node: n.id, Dir: p.dir.id, Name: p.name, Path: rel, kind: kindFile, attr: n.attr})
	return n, nil
}

// Mkdir implements fsys.FS.
func (r *Recorder) Mkdir(name string, perm fs.FileMode) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begin(name)
	if err := r.inner.Mkdir(name, perm); err != nil {
		return err
	}
	p, rel, ok := r.find(name, false)
	if !ok || p.dir == nil {
		return nil
	}
	st, err := os.Lstat(name)
	if err != nil {
		return err
	}
	n := r.tree.add(kindDir, st, "")
	r.tree.bind(p.dir, p.name, n)
	r.emit(Event{Op: OpMkdir, Node: n.id, Dir: p.dir.id, Name: p.name, Path: rel, kind: kindDir, attr: n.attr})
	return nil
}

// Remove implements fsys.FS.
func (r *Recorder) Remove(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begin(name)
	p, rel, ok := r.find(name, false)
	if err := r.inner.Remove(name); err != nil {
		return err
	}
	if ok && p.dir != nil && p.node != nil {
		r.removed(p, rel, false)
	}
	return nil
}

func (r *Recorder) removed(p place, rel string, foreign bool) {
	op := OpUnlink
	if p.node.kind == kindDir {
		op = OpRmdir
	}
	r.tree.unbind(p.dir, p.name)
	r.emit(Event{Op: op, Node: p.node.id, Dir: p.dir.id, Name: p.name, Path: rel, Foreign: foreign})
}

// Rename implements fsys.FS.
func (r *Recorder) Rename(oldname, newname string) error {
	return r.move(oldname, newname, r.inner.Rename)
}

// RenameNoReplace implements fsys.FS.
func (r *Recorder) RenameNoReplace(oldname, newname string) error {
	return r.move(oldname, newname, r.inner.RenameNoReplace)
}

func (r *Recorder) move(oldname, newname string, call func(string, string) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begin(oldname, newname)
	from, fromRel, ok1 := r.find(oldname, false)
	to, toRel, ok2 := r.find(newname, false)
	if err := call(oldname, newname); err != nil {
		return err
	}
	if !ok1 || !ok2 {
		// One side lies outside: what is inside changed past the model.
		r.observe()
		return nil
	}
	if from.node == nil || from.dir == nil || to.dir == nil || from.node == to.node {
		return nil
	}
	r.moved(from, to, fromRel, toRel, false)
	return nil
}

func (r *Recorder) moved(from, to place, fromRel, toRel string, foreign bool) {
	n := from.node
	r.emit(Event{Op: OpRename, Node: n.id, Dir: from.dir.id, Name: from.name, Dir2: to.dir.id, Name2: to.name,
		Path: fromRel, Path2: toRel, Foreign: foreign, kind: n.kind})
	r.tree.bind(to.dir, to.name, n)
	r.tree.unbind(from.dir, from.name)
}

// Exchange implements fsys.FS.
func (r *Recorder) Exchange(a, b string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begin(a, b)
	pa, relA, ok1 := r.find(a, false)
	pb, relB, ok2 := r.find(b, false)
	if err := r.inner.Exchange(a, b); err != nil {
		return err
	}
	if !ok1 || !ok2 || pa.node == nil || pb.node == nil || pa.node == pb.node {
		r.observe()
		return nil
	}
	r.exchanged(pa, pb, relA, relB, false)
	return nil
}

func (r *Recorder) exchanged(pa, pb place, relA, relB string, foreign bool) {
	pa.dir.entries[pa.name], pb.dir.entries[pb.name] = pb.node, pa.node
	r.emit(Event{Op: OpExchange, Node: pa.node.id, Dir: pa.dir.id, Name: pa.name,
		Node2: pb.node.id, Dir2: pb.dir.id, Name2: pb.name, Path: relA, Path2: relB, Foreign: foreign, kind: max(pa.node.kind, pb.node.kind)})
}

// Link implements fsys.FS.
func (r *Recorder) Link(oldname, newname string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begin(oldname, newname)
	from, _, ok1 := r.find(oldname, false)
	to, rel, ok2 := r.find(newname, false)
	if err := r.inner.Link(oldname, newname); err != nil {
		return err
	}
	if !ok1 || !ok2 || from.node == nil || to.dir == nil {
		r.observe()
		return nil
	}
	r.linked(from.node, to, rel, false)
	return nil
}

func (r *Recorder) linked(n *node, to place, rel string, foreign bool) {
	r.tree.bind(to.dir, to.name, n)
	r.emit(Event{Op: OpLink, Node: n.id, Dir: to.dir.id, Name: to.name, Path: rel, Foreign: foreign})
}

// Stat implements fsys.FS.
func (r *Recorder) Stat(name string) (fs.FileInfo, error) { return r.inner.Stat(name) }

// Lstat implements fsys.FS.
func (r *Recorder) Lstat(name string) (fs.FileInfo, error) { return r.inner.Lstat(name) }

// StatID implements fsys.FS.
func (r *Recorder) StatID(name string) (fsys.FileID, error) { return r.inner.StatID(name) }

// LstatID implements fsys.FS.
func (r *Recorder) LstatID(name string) (fsys.FileID, error) { return r.inner.LstatID(name) }

// Identify gives all files one identity, as [fsys.Anonymous] does: the files of the states
// that are made of the recording are others than those that were recorded.
func (r *Recorder) Identify(fsys.File) (fsys.Identity, error) { return fsys.Identity{}, nil }

// Readlink implements fsys.FS.
func (r *Recorder) Readlink(name string) (string, error) { return r.inner.Readlink(name) }

// ReadDir implements fsys.FS.
func (r *Recorder) ReadDir(name string) ([]fs.DirEntry, error) { return r.inner.ReadDir(name) }
