package crashfs

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// materialize writes the state into dir, which must not exist. Links that point
// into the recorded directory point into dir instead.
// It returns the numbers that the files' inodes had.
func (s *state) materialize(dir, recorded string) (Inodes, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	w := writer{dir: dir, recorded: recorded, inodes: map[NodeID]string{}, now: time.Now().Add(-time.Minute)}
	s.walk(rootID, "", func(path string, id NodeID, n *inode, f found) {
		if w.err == nil {
			w.err = w.write(dir+path, id, n, f)
		}
	})
	w.finish(s)
	if w.err != nil {
		return nil, w.err
	}
	return w.numbers(s.h.log.inodes)
}

// numbers finds which number each inode got, and which it had.
func (w *writer) numbers(had map[NodeID]uint64) (Inodes, error) {
	inodes := Inodes{}
	for id, path := range w.inodes {
		info, err := os.Lstat(path)
		if err != nil {
			return nil, err
		}
		if number, ok := had[id]; ok {
			inodes[stampOf(info).ino] = number
		}
	}
	return inodes, nil
}

type writer struct {
	dir      string
	recorded string
	inodes   map[NodeID]string // path of the first name
	dirs     []func() error    // modes of directories, set when all is written
	now      time.Time         // when every file was written
	err      error
}

func (w *writer) write(path string, id NodeID, n *inode, f found) error {
	if first, ok := w.inodes[id]; ok {
		return os.Link(first, path)
	}
	w.inodes[id] = path
	switch n.kind {
	case kindDir:
		w.dirs = append(w.dirs, func() error { return setAttr(path, f.attr) })
		return os.Mkdir(path, 0o700)
	case kindSymlink:
		target := n.target
		if rel, ok := below(w.recorded, target); ok && filepath.IsAbs(target) {
			target = filepath.Join(w.dir, rel)
		}
		return os.Symlink(target, path)
	}
	if err := os.WriteFile(path, f.data, 0o600); err != nil {
		return err
	}
	// No program finds files younger than its boot.
	if err := os.Chtimes(path, w.now, w.now); err != nil {
		return err
	}
	return setAttr(path, f.attr)
}

func (w *writer) finish(s *state) {
	root := s.h.nodes[rootID]
	w.dirs = append(w.dirs, func() error { return setAttr(w.dir, s.get(rootID, root).attr) })
	for _, set := range w.dirs {
		if w.err == nil {
			w.err = set()
		}
	}
}

const modeBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// setAttr sets mode and owner. Only root may give files away; others' files
// keep the owner that they got.
func setAttr(path string, a attr) error {
	if os.Geteuid() == 0 && (a.uid != 0 || a.gid != os.Getegid()) {
		if err := os.Lchown(path, a.uid, a.gid); err != nil {
			return err
		}
	}
	return os.Chmod(path, a.mode&modeBits)
}

// ScratchDir is a new directory for recorded and materialised trees: in the
// directory that -crashfs.dir or CRASHFS_DIR names, else in memory where there is
// /dev/shm, else in the system's place for temporary files. The caller removes it.
func ScratchDir() (string, error) {
	for _, parent := range []string{*flagDir, os.Getenv("CRASHFS_DIR"), "/dev/shm"} {
		if parent == "" {
			continue
		}
		dir, err := os.MkdirTemp(parent, "crashfs")
		if err == nil {
			return filepath.EvalSymlinks(dir)
		}
		if !strings.HasPrefix(parent, "/dev/") {
			return "", err
		}
	}
	dir, err := os.MkdirTemp("", "crashfs")
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}
