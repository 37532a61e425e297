package lockmgr

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/jtx-project/jtx/wal/fsys"
)

// A pid says nothing outside of its namespace, and an owner that was killed with its
// container would be taken for one that can't be seen. So a process that stays for as long
// as its lease holds a flock besides, on a file that it made for this grant: who can lock
// that knows that the process is gone, wherever both of them are.

const (
	keeperName     = "lease.kept"
	keeperTempName = "lease.kept.tmp"
)

func keeperPath(lockPath string) string { return filepath.Join(filepath.Dir(lockPath), keeperName) }

// Keeper holds the flock of one lease.
type Keeper struct{ fl *flock.Flock }

// Close ends the flock, and the lease with it.
func (k *Keeper) Close() error { return k.fl.Unlock() }

// Keep is [Held.Grant] of a lease that ends at the latest when the keeper is closed or
// this process dies, also where nobody can see this process. l.Owner is this process.
func (h *Held) Keep(path string, l Lease) (Lease, *Keeper, error) {
	if !h.holdsExclusive(path) {
		_, err := h.Grant(path, l) // says so
		return Lease{}, nil, err
	}
	fl, err := newKeeper(path)
	if err != nil {
		return Lease{}, nil, err
	}
	self := Self()
	l.Owner, l.Kept = &self, true
	l, err = h.Grant(path, l)
	if err != nil {
		return Lease{}, nil, errors.Join(err, fl.Unlock())
	}
	return l, &Keeper{fl}, nil
}

// newKeeper makes a file that is locked before it has its name: who finds it there
// never finds it free by mistake. What there is of that name is an earlier lease's.
func newKeeper(lockPath string) (*flock.Flock, error) {
	temp := filepath.Join(filepath.Dir(lockPath), keeperTempName)
	if err := fsys.OS.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	r := Request{Path: temp, Mode: Exclusive, Perm: leasePerm(lockPath)}
	fl, err := openLocked(&r, tryOnce)
	if err != nil {
		return nil, err
	}
	if err := fsys.OS.Rename(temp, keeperPath(lockPath)); err != nil {
		return nil, errors.Join(err, fl.Unlock(), fsys.OS.Remove(temp))
	}
	return fl, nil
}

// keeperState says whether the process that keeps the lease lives, Unknown where its
// file can't be opened or locked.
func keeperState(lockPath string) Liveness {
	fl, err := lockOnce(&Request{Path: keeperPath(lockPath), Mode: Shared}, os.O_RDONLY, tryOnce)
	switch {
	case err == nil:
		_ = fl.Unlock()
		return Dead
	case errors.Is(err, errHeld):
		return Alive
	case errors.Is(err, fs.ErrNotExist):
		return Dead
	}
	return Unknown
}

// keeperPID is the process that keeps the lease, by its pid for the caller; 0 where the
// kernel doesn't tell.
func keeperPID(lockPath string) int {
	path := keeperPath(lockPath)
	file, err := fsys.OS.Lstat(path)
	if err != nil {
		return 0
	}
	locks, _ := kernelLocks(path, file)
	for _, l := range locks {
		if l.mode == Exclusive && !l.waits {
			return l.pid
		}
	}
	return 0
}
