package fsys

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadFile reads the whole file. The buffer is allocated once, at its size. A
// symbolic link is an error, and so is a FIFO, which would block.
func ReadFile(fsy FS, name string) ([]byte, error) {
	f, err := fsy.OpenFile(name, os.O_RDONLY|NoFollow|NonBlock, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadAll(f)
}

// ErrTooLarge is returned for a file that is larger than any that jtx writes there.
var ErrTooLarge = errors.New("larger than it can be")

// ReadAtMost is ReadFile for a file of at most so many bytes. It takes no memory for one
// that is larger.
func ReadAtMost(fsy FS, name string, most int64) ([]byte, error) {
	f, err := fsy.OpenFile(name, os.O_RDONLY|NoFollow|NonBlock, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > most {
		return nil, &fs.PathError{Op: "read", Path: name, Err: ErrTooLarge}
	}
	return ReadAll(f)
}

// ReadAll reads f from its start to its end, whatever its offset.
func ReadAll(f File) ([]byte, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	buf := makeBuffer(st.Size() + 1)
	n := 0
	for {
		m, err := f.ReadAt(buf[n:], int64(n))
		n += m
		if errors.Is(err, io.EOF) {
			return buf[:n], nil
		}
		if err != nil {
			return nil, err
		}
		if n == len(buf) {
			buf = append(buf, make([]byte, len(buf))...)
		}
	}
}

// MkdirAll makes a directory, and those above it that are missing.
func MkdirAll(fsy FS, name string, perm fs.FileMode) error {
	err := fsy.Mkdir(name, perm)
	if errors.Is(err, fs.ErrNotExist) && name != filepath.Dir(name) {
		if err = MkdirAll(fsy, filepath.Dir(name), perm); err == nil {
			err = fsy.Mkdir(name, perm)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// SyncDir makes the entries of a directory durable.
func SyncDir(fsy FS, name string) error {
	f, err := fsy.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// WriteFileAtomic replaces name by data: written under a temporary name in the
// same directory, synced, renamed over it. The directory is not synced. What a
// crash left under the temporary name is removed, never written to. Made by root,
// the file belongs to the owner of the directory.
func WriteFileAtomic(fsy FS, name string, data []byte, perm fs.FileMode) error {
	tmp := name + ".tmp"
	f, err := createNew(fsy, tmp, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = InheritOwner(fsy, f, filepath.Dir(name))
	}
	if err == nil {
		err = f.Chmod(perm)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = fsy.Rename(tmp, name)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(fsy.Remove(tmp)))
	}
	return nil
}

func createNew(fsy FS, name string, perm fs.FileMode) (File, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL | NoFollow
	f, err := fsy.OpenFile(name, flags, perm)
	if !errors.Is(err, fs.ErrExist) {
		return f, err
	}
	if err := ignoreMissing(fsy.Remove(name)); err != nil {
		return nil, err
	}
	return fsy.OpenFile(name, flags, perm)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
