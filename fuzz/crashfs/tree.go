package crashfs

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// node is an inode of the live tree.
type node struct {
	id      NodeID
	kind    nodeKind
	attr    attr
	target  string
	data    []byte
	entries map[string]*node
	names   int // how many entries are bound to it
	seen    stamp
}

// stamp is what told, when data was last known to be the file's content, that it
// was; another stamp means that the content must be compared.
type stamp struct {
	ino   uint64
	size  int64
	mtime time.Time
	at    time.Time
}

// racy is the age below which a modification time proves nothing, because the
// kernel's clock may not have ticked between two writes.
const racy = 20 * time.Millisecond

func (s stamp) unchanged(now stamp) bool {
	return s.ino == now.ino && s.size == now.size && s.mtime.Equal(now.mtime) &&
		s.at.Sub(s.mtime) > racy
}

func stampOf(st fs.FileInfo) stamp {
	s := stamp{size: st.Size(), mtime: st.ModTime(), at: time.Now()}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		s.ino = sys.Ino
	}
	return s
}

func attrOf(st fs.FileInfo) attr {
	a := attr{mode: st.Mode()}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		a.uid, a.gid = int(sys.Uid), int(sys.Gid)
	}
	return a
}

func kindOf(mode fs.FileMode) (nodeKind, bool) {
	switch mode.Type() {
	case 0:
		return kindFile, true
	case fs.ModeDir:
		return kindDir, true
	case fs.ModeSymlink:
		return kindSymlink, true
	}
	return 0, false
}

// snapshot is an immutable tree: the start of a log.
type snapshot struct {
	nodes map[NodeID]frozen
	names map[NodeID]map[string]NodeID
}

type frozen struct {
	kind   nodeKind
	attr   attr
	target string
	data   []byte
}

// tree is the live model of a directory: what a reader of the real one sees.
type tree struct {
	root *node
	inos map[uint64]*node // of the nodes that have a name
	// numbers are those of the inodes that the nodes had, also of nodes that are gone.
	numbers map[NodeID]uint64
	last    NodeID
}

func newTree(dir string) (*tree, error) {
	t := &tree{inos: map[uint64]*node{}, numbers: map[NodeID]uint64{}}
	st, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	t.root = t.add(kindDir, st, "")
	return t, t.load(t.root, dir)
}

func (t *tree) add(kind nodeKind, st fs.FileInfo, target string) *node {
	t.last++
	n := &node{id: t.last, kind: kind, attr: attrOf(st), target: target, seen: stampOf(st)}
	if kind == kindDir {
		n.entries = map[string]*node{}
	}
	t.inos[n.seen.ino], t.numbers[n.id] = n, n.seen.ino
	return n
}

func (t *tree) bind(dir *node, name string, n *node) {
	t.unbind(dir, name)
	dir.entries[name] = n
	n.names++
}

func (t *tree) unbind(dir *node, name string) {
	n := dir.entries[name]
	if n == nil {
		return
	}
	delete(dir.entries, name)
	if n.names--; n.names > 0 {
		return
	}
	if t.inos[n.seen.ino] == n {
		delete(t.inos, n.seen.ino)
	}
	// Only a directory that was replaced past the recorder still has entries.
	for _, child := range sortedNames(n.entries) {
		t.unbind(n, child)
	}
}

// load reads the real directory below an empty node.
func (t *tree) load(dir *node, path string) error {
	list, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, de := range list {
		if err := t.loadEntry(dir, path, de.Name()); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) loadEntry(dir *node, path, name string) error {
	full := filepath.Join(path, name)
	st, err := os.Lstat(full)
	if err != nil {
		return err
	}
	kind, ok := kindOf(st.Mode())
	if !ok {
		return nil // a FIFO or socket has no bytes to lose
	}
	if known := t.inos[stampOf(st).ino]; known != nil && kind == kindFile {
		t.bind(dir, name, known)
		return nil
	}
	n, err := t.read(kind, st, full)
	if err != nil {
		return err
	}
	t.bind(dir, name, n)
	if kind == kindDir {
		return t.load(n, full)
	}
	return nil
}

// read makes a node with the real content.
func (t *tree) read(kind nodeKind, st fs.FileInfo, full string) (*node, error) {
	var target string
	var data []byte
	var err error
	switch kind {
	case kindSymlink:
		target, err = os.Readlink(full)
	case kindFile:
		data, err = os.ReadFile(full)
	}
	if err != nil {
		return nil, err
	}
	n := t.add(kind, st, target)
	n.data = data
	return n, nil
}

// freeze copies the tree.
func (t *tree) freeze() snapshot {
	s := snapshot{nodes: map[NodeID]frozen{}, names: map[NodeID]map[string]NodeID{}}
	var walk func(n *node)
	walk = func(n *node) {
		s.nodes[n.id] = frozen{n.kind, n.attr, n.target, slices.Clone(n.data)}
		if n.kind != kindDir {
			return
		}
		names := make(map[string]NodeID, len(n.entries))
		for name, child := range n.entries {
			names[name] = child.id
			walk(child)
		}
		s.names[n.id] = names
	}
	walk(t.root)
	return s
}

var errLoop = errors.New("crashfs: too many levels of symbolic links")

// place is where a path ends in the live tree: its last directory, the last
// name, and what that name is bound to, if anything.
type place struct {
	dir  *node
	name string
	node *node
}

// resolve walks a path relative to the root. A missing intermediate directory,
// or a link that leads out of the tree, gives a zero place.
func (t *tree) resolve(rel string, follow bool, root string) (place, error) {
	return t.walk(t.root, rel, follow, root, 0)
}

func (t *tree) walk(from *node, rel string, follow bool, root string, depth int) (place, error) {
	if depth > 40 {
		return place{}, errLoop
	}
	rel = filepath.Clean(rel)
	if rel == "." {
		return place{node: from}, nil
	}
	trail := []*node{from}
	parts := strings.Split(rel, "/")
	for i, part := range parts {
		dir := trail[len(trail)-1]
		if part == ".." {
			if len(trail) == 1 {
				return place{}, nil
			}
			trail = trail[:len(trail)-1]
			continue
		}
		last := i == len(parts)-1
		n := dir.entries[part]
		if n != nil && n.kind == kindSymlink && (follow || !last) {
			return t.followLink(trail, n, parts[i+1:], follow, root, depth)
		}
		if last {
			return place{dir, part, n}, nil
		}
		if n == nil || n.kind != kindDir {
			return place{}, nil
		}
		trail = append(trail, n)
	}
	return place{node: trail[len(trail)-1]}, nil
}

// followLink restarts the walk at the root, because the target may climb.
func (t *tree) followLink(trail []*node, link *node, rest []string, follow bool, root string, depth int) (place, error) {
	target := link.target
	if filepath.IsAbs(target) {
		rel, ok := below(root, target)
		if !ok {
			return place{}, nil
		}
		target = rel
	} else {
		target = filepath.Join(t.pathOf(trail), target)
	}
	if strings.HasPrefix(target, "../") {
		return place{}, nil
	}
	return t.walk(t.root, filepath.Join(append([]string{target}, rest...)...), follow, root, depth+1)
}

func (t *tree) pathOf(trail []*node) string {
	parts := []string{}
	for i := 1; i < len(trail); i++ {
		for name, n := range trail[i-1].entries {
			if n == trail[i] {
				parts = append(parts, name)
				break
			}
		}
	}
	return filepath.Join(parts...)
}

// below is path relative to root, where it lies at or under it.
func below(root, path string) (string, bool) {
	path = filepath.Clean(path)
	if path == root {
		return ".", true
	}
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(root, "/")+"/")
	return rest, ok
}

func sortedNames[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
