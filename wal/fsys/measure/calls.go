package measure

import (
	"io/fs"
	"maps"
	"sync"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Calls is a file system that counts each call of it, and of the files that it opens, by
// name: "open", "read", "write", "sync", … In one a library may make several system calls.
type Calls struct {
	fsys.FS
	mu sync.Mutex
	n  map[string]int
}

// Take returns what was counted since it was last called, failed calls too.
func (c *Calls) Take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := maps.Clone(c.n)
	clear(c.n)
	return n
}

func (c *Calls) count(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[name]++
}

func (c *Calls) OpenFile(name string, flag int, perm fs.FileMode) (fsys.File, error) {
	c.count("open")
	f, err := c.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &callsFile{f, c}, nil
}

func (c *Calls) Mkdir(name string, perm fs.FileMode) error {
	c.count("mkdir")
	return c.FS.Mkdir(name, perm)
}

func (c *Calls) Rename(oldname, newname string) error {
	c.count("rename")
	return c.FS.Rename(oldname, newname)
}

func (c *Calls) RenameNoReplace(oldname, newname string) error {
	c.count("rename")
	return c.FS.RenameNoReplace(oldname, newname)
}

func (c *Calls) Exchange(a, b string) error {
	c.count("rename")
	return c.FS.Exchange(a, b)
}

func (c *Calls) Link(oldname, newname string) error {
	c.count("link")
	return c.FS.Link(oldname, newname)
}

func (c *Calls) Remove(name string) error {
	c.count("remove")
	return c.FS.Remove(name)
}

func (c *Calls) Stat(name string) (fs.FileInfo, error) {
	c.count("stat")
	return c.FS.Stat(name)
}

func (c *Calls) Lstat(name string) (fs.FileInfo, error) {
	c.count("stat")
	return c.FS.Lstat(name)
}

func (c *Calls) StatID(name string) (fsys.FileID, error) {
	c.count("stat")
	return c.FS.StatID(name)
}

func (c *Calls) LstatID(name string) (fsys.FileID, error) {
	c.count("stat")
	return c.FS.LstatID(name)
}

func (c *Calls) Identify(f fsys.File) (fsys.Identity, error) {
	c.count("stat")
	return c.FS.Identify(f)
}

func (c *Calls) Readlink(name string) (string, error) {
	c.count("readlink")
	return c.FS.Readlink(name)
}

func (c *Calls) ReadDir(name string) ([]fs.DirEntry, error) {
	c.count("readdir")
	return c.FS.ReadDir(name)
}

type callsFile struct {
	fsys.File
	of *Calls
}

func (f *callsFile) Read(b []byte) (int, error) {
	f.of.count("read")
	return f.File.Read(b)
}

func (f *callsFile) ReadAt(b []byte, at int64) (int, error) {
	f.of.count("read")
	return f.File.ReadAt(b, at)
}

func (f *callsFile) Write(b []byte) (int, error) {
	f.of.count("write")
	return f.File.Write(b)
}

func (f *callsFile) WriteAt(b []byte, at int64) (int, error) {
	f.of.count("write")
	return f.File.WriteAt(b, at)
}

func (f *callsFile) Stat() (fs.FileInfo, error) {
	f.of.count("stat")
	return f.File.Stat()
}

func (f *callsFile) Truncate(size int64) error {
	f.of.count("truncate")
	return f.File.Truncate(size)
}

func (f *callsFile) Chmod(mode fs.FileMode) error {
	f.of.count("chmod")
	return f.File.Chmod(mode)
}

func (f *callsFile) Sync() error     { return f.BeforeSync().Sync() }
func (f *callsFile) Datasync() error { return f.BeforeSync().Datasync() }

// BeforeSync counts, so that several syncs at once are made as without counting.
func (f *callsFile) BeforeSync() fsys.File {
	f.of.count("sync")
	return f.File
}
