package lockmgr

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/jtx-project/jtx/wal/fsys"
)

// maxRestarts bounds what is tried again at once because somebody else removed
// or replaced the lock file in the middle.
const maxRestarts = 64

// A waiter that has given up gets the lock all the same when its turn comes, and
// gives it back at once. A caller who does not wait looks again for that instant,
// so as not to be told of a holder that there isn't.
const (
	ghostLooks = 3
	ghostPause = 500 * time.Microsecond
)

var errHeld = errors.New("held by another")

// lockFile takes the flock for a caller that its process has admitted. It tells
// whether another process stood in the way.
func (m *Manager) lockFile(p *patience, q *queue, r *Request) (fl *flock.Flock, waited bool, err error) {
	fl, err = m.tryAtOnce(p, r)
	if !errors.Is(err, errHeld) {
		return fl, false, err
	}
	if p.none() {
		return nil, false, m.gaveUp(p, r, nil)
	}
	fl, err = m.awaitFile(p, q, r)
	return fl, true, err
}

// tryAtOnce is errHeld where the lock can't be had without waiting.
func (m *Manager) tryAtOnce(p *patience, r *Request) (*flock.Flock, error) {
	fl, err := tryLockFile(r, p.none())
	for looks := ghostLooks; looks > 0 && p.none() && errors.Is(err, errHeld); looks-- {
		time.Sleep(ghostPause)
		fl, err = tryLockFile(r, true)
	}
	return fl, err
}

// awaitFile waits in line for the flock.
func (m *Manager) awaitFile(p *patience, q *queue, r *Request) (*flock.Flock, error) {
	select {
	case q.slot <- struct{}{}:
		defer func() { <-q.slot }()
	case <-p.done():
		return nil, m.gaveUp(p, r, nil)
	}
	for !p.over() {
		fl, err := m.await(p, q, r)
		if err != nil {
			return nil, err
		}
		if look(fl, r).same {
			return fl, nil
		}
		_ = fl.Unlock()
	}
	return nil, m.gaveUp(p, r, nil)
}

// tryLockFile takes the lock where nobody holds it and nobody waits for it.
// Who can't wait in line barges in past the waiters.
func tryLockFile(r *Request, barge bool) (*flock.Flock, error) {
	for range maxRestarts {
		fl, err := openLocked(r, tryOnce)
		if err != nil {
			return nil, err
		}
		s := look(fl, r)
		if s.same && (barge || !s.awaited && !queued(r.Path)) {
			return fl, nil
		}
		_ = fl.Unlock()
		if s.same {
			return nil, errHeld
		}
	}
	return nil, fmt.Errorf("lock %s: the lock file is being replaced again and again", r.name())
}

func tryOnce(fl *flock.Flock, mode Mode) error {
	try := fl.TryRLock
	if mode == Exclusive {
		try = fl.TryLock
	}
	ok, err := try()
	if err == nil && !ok {
		err = errHeld
	}
	return err
}

func block(fl *flock.Flock, mode Mode) error {
	if mode == Exclusive {
		return fl.Lock()
	}
	return fl.RLock()
}

// openLocked opens the lock file, makes it where it is missing, and locks it
// with op. A file that may not be written is opened for reading: flock needs no
// more, only the text can't be left in it then.
//
// The file is not opened with O_CREATE: where it exists and belongs to another
// user, a kernel with protected_regular would refuse that in a shared directory.
// What is no regular file is refused before it is opened.
func openLocked(r *Request, op func(*flock.Flock, Mode) error) (*flock.Flock, error) {
	flag := os.O_RDWR
	for range maxRestarts {
		fl, err := lockOnce(r, flag, op)
		switch {
		case err == nil:
			return fl, nil
		case errors.Is(err, errHeld):
			return nil, err
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, fs.ErrNotExist):
			if err := createLockFile(r); err != nil {
				return nil, fmt.Errorf("lock %s: %w", r.name(), err)
			}
		case refused(err):
			return nil, fmt.Errorf("lock %s: %w (flock: %w)", r.name(), ErrNoLocks, err)
		case flag == os.O_RDWR && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)):
			flag = os.O_RDONLY
		default:
			return nil, fmt.Errorf("lock %s: %w", r.name(), err)
		}
	}
	return nil, fmt.Errorf("lock %s: the lock file appears and vanishes", r.name())
}

// lockOnce opens the lock file, which is there, and locks it with op.
func lockOnce(r *Request, flag int, op func(*flock.Flock, Mode) error) (*flock.Flock, error) {
	path, release, err := fsys.Beneath(r.Path)
	if err != nil {
		return nil, err
	}
	defer release()
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "lock", Path: r.Path, Err: ErrNotRegular}
	}
	fl := flock.New(path, flock.SetFlag(flag|careful), flock.SetPermissions(r.perm()))
	err = op(fl, r.Mode)
	var opening *fs.PathError
	if errors.As(err, &opening) {
		opening.Path = r.Path
	}
	return fl, err
}

// refused tells that it is flock(2) that is not known or allowed, by the file system,
// its server or a sandbox, and not the opening of the file that failed.
func refused(err error) bool {
	var opening *fs.PathError
	return !errors.As(err, &opening) && (fsys.Refused(err) || errors.Is(err, noLocks))
}

// Check fails with [ErrNoLocks] where the file at path, which the error calls name,
// can't be locked because there are no locks.
func Check(path, name string) error {
	fl, err := openLocked(&Request{Path: path, Mode: Shared, Name: name}, tryOnce)
	if err == nil {
		return fl.Unlock()
	}
	if errors.Is(err, ErrNoLocks) {
		return err
	}
	return nil // somebody holds it, or the caller may not: a wait tells
}

// ErrNotRegular is returned where something else than a regular file has the name of a
// lock file.
var ErrNotRegular = errors.New("not a regular file")

// createLockFile makes the lock file unless another process was faster.
func createLockFile(r *Request) error {
	f, err := fsys.OS.OpenFile(r.Path, os.O_RDWR|os.O_CREATE|os.O_EXCL|careful, r.perm())
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// The umask must not keep other users out of a group's workspace.
	return errors.Join(inheritOwner(f), f.Chmod(r.perm()), f.Truncate(FileSize), f.Close())
}

// inheritOwner gives a file that root made to the owner of its directory.
func inheritOwner(f fsys.File) error {
	return fsys.InheritOwner(fsys.OS, f, filepath.Dir(f.Name()))
}
