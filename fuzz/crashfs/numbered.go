package crashfs

import (
	"io/fs"
	"syscall"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Inodes are the numbers that files of a made state had when they were recorded, by
// those that they have. A crash changes no inode's number, and what jtx wrote down of
// one must still be true of it.
type Inodes map[uint64]uint64

// Numbered is fsy, on which the files of a made state have the numbers that they had.
func Numbered(fsy fsys.FS, inodes Inodes) fsys.FS {
	if len(inodes) == 0 {
		return fsy
	}
	return &numbered{fsy, inodes}
}

type numbered struct {
	fsys.FS
	inodes Inodes
}

func (n *numbered) OpenFile(name string, flag int, perm fs.FileMode) (fsys.File, error) {
	f, err := n.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &numberedFile{f, n.inodes}, nil
}

func (n *numbered) Stat(name string) (fs.FileInfo, error) {
	info, err := n.FS.Stat(name)
	return n.inodes.info(info), err
}

func (n *numbered) Lstat(name string) (fs.FileInfo, error) {
	info, err := n.FS.Lstat(name)
	return n.inodes.info(info), err
}

func (n *numbered) StatID(name string) (fsys.FileID, error) {
	id, err := n.FS.StatID(name)
	return n.inodes.id(id), err
}

func (n *numbered) LstatID(name string) (fsys.FileID, error) {
	id, err := n.FS.LstatID(name)
	return n.inodes.id(id), err
}

type numberedFile struct {
	fsys.File
	inodes Inodes
}

func (f *numberedFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return f.inodes.info(info), err
}

func (m Inodes) id(id fsys.FileID) fsys.FileID {
	if was, ok := m[id.Ino]; ok {
		id.Ino = was
	}
	return id
}

// info leaves alone what needs no other number: package os knows its own.
func (m Inodes) info(info fs.FileInfo) fs.FileInfo {
	if info == nil {
		return nil
	}
	sys, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return info
	}
	was, ok := m[sys.Ino]
	if !ok {
		return info
	}
	st := *sys
	st.Ino = was
	return &numberedInfo{info, &st}
}

type numberedInfo struct {
	fs.FileInfo
	sys *syscall.Stat_t
}

func (i *numberedInfo) Sys() any { return i.sys }
