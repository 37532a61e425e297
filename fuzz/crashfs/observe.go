package crashfs

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/wal/fsys"
)

// observe compares the watched directories with the live tree and logs what
// differs as foreign events. Renames come before removals, and changes of names
// before those of content. A directory that vanishes meanwhile is compared at
// the next call, so errors are dropped here.
func (r *Recorder) observe() {
	const rounds = 8 // a moved directory is only searched in the next round
	for range rounds {
		d := diff{r: r}
		d.walk(r.tree.root, ".", r.watch)
		if !d.apply() {
			break
		}
	}
	r.observeContent(r.tree.root, ".", r.watch)
}

// observeDir compares one directory, watched or not.
func (r *Recorder) observeDir(rel string) {
	if r.watch(rel) {
		return // observe has done it
	}
	p, err := r.tree.resolve(rel, true, r.dir)
	if err != nil || p.node == nil || p.node.kind != kindDir {
		return
	}
	only := func(path string) bool { return path == rel }
	d := diff{r: r}
	d.list(p.node, rel)
	d.apply()
	r.observeFiles(p.node, rel, only)
}

// diff is the entries that appeared and vanished.
type diff struct {
	r        *Recorder
	appeared []entry
	vanished []entry
}

type entry struct {
	place
	rel string
	st  fs.FileInfo
}

func (d *diff) walk(dir *node, rel string, watch func(string) bool) {
	if watch(rel) {
		d.list(dir, rel)
	}
	for _, name := range sortedNames(dir.entries) {
		if n := dir.entries[name]; n.kind == kindDir {
			d.walk(n, filepath.Join(rel, name), watch)
		}
	}
}

func (d *diff) list(dir *node, rel string) {
	list, err := os.ReadDir(filepath.Join(d.r.dir, rel))
	if err != nil {
		return // it moved or vanished: its parent tells
	}
	there := make(map[string]bool, len(list))
	for _, de := range list {
		st, err := os.Lstat(filepath.Join(d.r.dir, rel, de.Name()))
		if err != nil {
			continue
		}
		if _, ok := kindOf(st.Mode()); !ok {
			continue
		}
		there[de.Name()] = true
		n := dir.entries[de.Name()]
		if n == nil || n.seen.ino != stampOf(st).ino {
			d.appeared = append(d.appeared, entry{place{dir, de.Name(), n}, filepath.Join(rel, de.Name()), st})
		}
	}
	for _, name := range sortedNames(dir.entries) {
		if !there[name] {
			d.vanished = append(d.vanished, entry{place{dir, name, dir.entries[name]}, filepath.Join(rel, name), nil})
		}
	}
}

// apply logs the changes of names and reports whether there were any.
func (d *diff) apply() bool {
	for _, e := range d.appeared {
		ino := stampOf(e.st).ino
		if now := e.dir.entries[e.name]; now != nil && now.seen.ino == ino {
			continue // the other half of an exchange
		}
		if known := d.r.tree.inos[ino]; known != nil {
			d.rebind(known, e)
		} else {
			d.r.adopt(e)
		}
	}
	for _, e := range d.vanished {
		if e.dir.entries[e.name] == e.node {
			d.r.removed(e.place, e.rel, true)
		}
	}
	return len(d.appeared)+len(d.vanished) > 0
}

// rebind logs that a known inode has this name: by an exchange or a rename where
// one of its names has another inode or none, else as a hard link.
func (d *diff) rebind(known *node, e entry) {
	old, ok := d.left(known)
	switch {
	case ok && old.st != nil && e.node != nil && e.dir.entries[e.name] == e.node && stampOf(old.st).ino == e.node.seen.ino:
		d.r.exchanged(old.place, e.place, old.rel, e.rel, true)
	case ok:
		d.r.moved(old.place, e.place, old.rel, e.rel, true)
	case known.kind != kindDir: // a directory's old name is seen to go in the next round
		d.r.linked(known, e.place, e.rel, true)
	}
}

// left finds a name that was this inode's and is not any more.
func (d *diff) left(known *node) (entry, bool) {
	for _, list := range [][]entry{d.vanished, d.appeared} {
		for _, old := range list {
			if old.node == known && old.dir.entries[old.name] == known {
				return old, true
			}
		}
	}
	return entry{}, false
}

// adopt logs a new file, directory or link, and its content.
func (r *Recorder) adopt(e entry) {
	kind, _ := kindOf(e.st.Mode())
	full := filepath.Join(r.dir, e.rel)
	var target string
	if kind == kindSymlink {
		var err error
		if target, err = os.Readlink(full); err != nil {
			return
		}
	}
	n := r.tree.add(kind, e.st, target)
	n.seen.mtime = n.seen.at // the content has not been read: compare it
	r.tree.bind(e.dir, e.name, n)
	op := OpCreate
	if kind == kindDir {
		op = OpMkdir
	}
	r.emit(Event{Op: op, Node: n.id, Dir: e.dir.id, Name: e.name, Path: e.rel, Foreign: true,
		kind: kind, attr: n.attr, target: target})
}

func (r *Recorder) observeContent(dir *node, rel string, watch func(string) bool) {
	r.observeFiles(dir, rel, watch)
	for _, name := range sortedNames(dir.entries) {
		if n := dir.entries[name]; n.kind == kindDir {
			r.observeContent(n, filepath.Join(rel, name), watch)
		}
	}
}

func (r *Recorder) observeFiles(dir *node, rel string, watch func(string) bool) {
	if !watch(rel) {
		return
	}
	for _, name := range sortedNames(dir.entries) {
		r.observeFile(dir.entries[name], filepath.Join(rel, name))
	}
}

func (r *Recorder) observeFile(n *node, rel string) {
	full := filepath.Join(r.dir, rel)
	st, err := os.Lstat(full)
	if err != nil {
		return
	}
	if n.kind != kindSymlink {
		r.attrChanged(n, rel, attrOf(st), true)
	}
	now := stampOf(st)
	if n.kind != kindFile || now.ino != n.seen.ino || n.seen.unchanged(now) {
		return
	}
	data, err := readFile(full)
	if err != nil {
		return
	}
	r.contentChanged(n, rel, data)
	n.seen = now
}

// readFile does not wait for a lease that the program has on the file.
func readFile(name string) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|fsys.NonBlock, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// contentChanged logs the difference as a truncation, an append, or an
// overwrite of the range that differs.
func (r *Recorder) contentChanged(n *node, rel string, data []byte) {
	if bytes.Equal(data, n.data) {
		return
	}
	if len(data) < len(n.data) {
		r.truncated(n, rel, int64(len(data)), true)
	}
	from := commonPrefix(n.data, data)
	to := len(data)
	if len(data) == len(n.data) {
		for to > from && data[to-1] == n.data[to-1] {
			to--
		}
	}
	if to > from {
		r.written(n, rel, data[from:to], int64(from), true)
	}
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
