package fsys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"
)

// Fault says which calls of a [Failing] go wrong, and how. Only calls that change
// something are counted: their names are open (one that creates or truncates),
// mkdir, rename, exchange, link, remove, write, truncate, sync, datasync, chmod, chown.
type Fault struct {
	// Call is the first call that fails, counted from 0 over those that Ops
	// selects. A negative number fails none, which counts and traces only.
	Call int
	// Ops are the names that count; none means all.
	Ops []string
	// Err is the error, syscall.EIO if nil.
	Err error
	// Forever fails every later call too, as a full or a dead disk does.
	Forever bool
	// Short makes a failing write store the first half of its bytes.
	Short bool
	// Lie makes every later sync of a regular file whose sync has failed return
	// success without doing anything, as Linux may. Lied tells where it was told.
	// Directories don't lie: a file system whose own journal fails stops for good.
	Lie bool
}

// Failing is an FS on which chosen calls fail. It serves any number of goroutines;
// the order in which it counts theirs is theirs.
type Failing struct {
	inner FS
	fault Fault

	mu     sync.Mutex
	calls  int
	failed int
	trace  []string
	marked []File // whose sync has failed; open, so that no other gets their inode
	lied   []string
}

// NewFailing wraps inner.
func NewFailing(inner FS, fault Fault) *Failing {
	if fault.Err == nil {
		fault.Err = syscall.EIO
	}
	return &Failing{inner: inner, fault: fault}
}

// Calls is how many calls counted so far.
func (f *Failing) Calls() int { return f.get(func() int { return f.calls }) }

// Failed is how many of them failed. Zero after a run means that it made fewer than
// Fault.Call+1 calls: a loop over Call has come to its end.
func (f *Failing) Failed() int { return f.get(func() int { return f.failed }) }

func (f *Failing) get(what func() int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return what()
}

// Trace lists every call that changes something, in order, counted or not: its
// name, its arguments, and " = " and the error where it was made to fail.
func (f *Failing) Trace() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.trace)
}

// Lied are the names of files for which a sync returned success after one had
// failed. What was written to them must not be relied on.
func (f *Failing) Lied() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.lied)
}

// enter counts a call and decides whether it fails.
func (f *Failing) enter(op, args string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	line := op + " " + args
	defer func() { f.trace = append(f.trace, line) }()
	if len(f.fault.Ops) > 0 && !slices.Contains(f.fault.Ops, op) {
		return nil
	}
	n := f.calls
	f.calls++
	hit := f.fault.Call >= 0 && (n == f.fault.Call || f.fault.Forever && n > f.fault.Call)
	if !hit {
		return nil
	}
	f.failed++
	line += fmt.Sprintf(" = %v", f.fault.Err)
	return f.fault.Err
}

const changes = os.O_CREATE | os.O_TRUNC

// OpenFile counts as "open" where it may create or truncate.
func (f *Failing) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	if flag&changes != 0 {
		if err := f.path("open", name); err != nil {
			return nil, err
		}
	}
	file, err := f.inner.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &failingFile{File: file, fs: f}, nil
}

func (f *Failing) path(op, name string) error {
	if err := f.enter(op, name); err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

func (f *Failing) link(op, oldname, newname string) error {
	if err := f.enter(op, oldname+" "+newname); err != nil {
		return &os.LinkError{Op: op, Old: oldname, New: newname, Err: err}
	}
	return nil
}

// Mkdir counts as "mkdir".
func (f *Failing) Mkdir(name string, perm fs.FileMode) error {
	if err := f.path("mkdir", name); err != nil {
		return err
	}
	return f.inner.Mkdir(name, perm)
}

// Rename counts as "rename".
func (f *Failing) Rename(oldname, newname string) error {
	if err := f.link("rename", oldname, newname); err != nil {
		return err
	}
	return f.inner.Rename(oldname, newname)
}

// RenameNoReplace counts as "rename".
func (f *Failing) RenameNoReplace(oldname, newname string) error {
	if err := f.link("rename", oldname, newname); err != nil {
		return err
	}
	return f.inner.RenameNoReplace(oldname, newname)
}

// Exchange counts as "exchange".
func (f *Failing) Exchange(a, b string) error {
	if err := f.link("exchange", a, b); err != nil {
		return err
	}
	return f.inner.Exchange(a, b)
}

// Link counts as "link".
func (f *Failing) Link(oldname, newname string) error {
	if err := f.link("link", oldname, newname); err != nil {
		return err
	}
	return f.inner.Link(oldname, newname)
}

// Remove counts as "remove".
func (f *Failing) Remove(name string) error {
	if err := f.path("remove", name); err != nil {
		return err
	}
	return f.inner.Remove(name)
}

// Stat never fails by itself, nor do the other calls that only read.
func (f *Failing) Stat(name string) (fs.FileInfo, error)      { return f.inner.Stat(name) }
func (f *Failing) Lstat(name string) (fs.FileInfo, error)     { return f.inner.Lstat(name) }
func (f *Failing) StatID(name string) (FileID, error)         { return f.inner.StatID(name) }
func (f *Failing) LstatID(name string) (FileID, error)        { return f.inner.LstatID(name) }
func (f *Failing) Identify(file File) (Identity, error)       { return f.inner.Identify(file) }
func (f *Failing) Readlink(name string) (string, error)       { return f.inner.Readlink(name) }
func (f *Failing) ReadDir(name string) ([]fs.DirEntry, error) { return f.inner.ReadDir(name) }

// failingFile is an open file of a Failing.
type failingFile struct {
	File
	fs *Failing
}

func (f *failingFile) fail(op, args string) error {
	if err := f.fs.enter(op, f.Name()+args); err != nil {
		return &fs.PathError{Op: op, Path: f.Name(), Err: err}
	}
	return nil
}

func (f *failingFile) Write(b []byte) (int, error) {
	err := f.fail("write", fmt.Sprintf(" %d", len(b)))
	if err == nil {
		return f.File.Write(b)
	}
	n := 0
	if f.fs.fault.Short {
		n, _ = f.File.Write(b[:len(b)/2])
	}
	return n, err
}

func (f *failingFile) WriteAt(b []byte, off int64) (int, error) {
	err := f.fail("write", fmt.Sprintf(" %d at %d", len(b), off))
	if err == nil {
		return f.File.WriteAt(b, off)
	}
	n := 0
	if f.fs.fault.Short {
		n, _ = f.File.WriteAt(b[:len(b)/2], off)
	}
	return n, err
}

func (f *failingFile) Truncate(size int64) error {
	if err := f.fail("truncate", fmt.Sprintf(" %d", size)); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *failingFile) Chmod(mode fs.FileMode) error {
	if err := f.fail("chmod", fmt.Sprintf(" %v", mode)); err != nil {
		return err
	}
	return f.File.Chmod(mode)
}

func (f *failingFile) Chown(uid, gid int) error {
	if err := f.fail("chown", fmt.Sprintf(" %d %d", uid, gid)); err != nil {
		return err
	}
	return f.File.Chown(uid, gid)
}

func (f *failingFile) Sync() error     { return f.sync("sync", f.File.Sync) }
func (f *failingFile) Datasync() error { return f.sync("datasync", f.File.Datasync) }

func (f *failingFile) sync(op string, really func() error) error {
	if f.lie() {
		return nil
	}
	err := f.fail(op, "")
	if err == nil {
		return really()
	}
	if f.fs.fault.Lie {
		err = errors.Join(err, f.mark())
	}
	return err
}

// mark remembers the file by its inode: a copy under the same name is another file.
func (f *failingFile) mark() error {
	info, err := f.File.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	held, err := f.fs.inner.OpenFile(f.Name(), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.fs.marked = append(f.fs.marked, held)
	return nil
}

// lie reports whether a sync of this file has failed before, and notes it.
func (f *failingFile) lie() bool {
	info, err := f.File.Stat()
	if err != nil {
		return false
	}
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	known := slices.ContainsFunc(f.fs.marked, func(m File) bool {
		other, err := m.Stat()
		return err == nil && os.SameFile(other, info)
	})
	if known {
		f.fs.lied = append(f.fs.lied, f.Name())
		f.fs.trace = append(f.fs.trace, "lie "+f.Name())
	}
	return known
}
