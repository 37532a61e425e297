package lockmgr

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/wal/fsys"
)

const (
	leaseName     = "lease"
	leaseTempName = "lease.tmp"
	// maxLease bounds what is read of a lease file.
	maxLease = 1 << 16
)

func leasePath(lockPath string) string { return filepath.Join(filepath.Dir(lockPath), leaseName) }

// readLeaseFile is false where there is no lease file, or none that makes
// sense: a power cut may leave it empty, since it is not synced, and then the
// transaction that had it is fenced off by its absence.
func readLeaseFile(lockPath string) (Lease, bool, error) {
	var l Lease
	raw, err := readSmall(leasePath(lockPath), maxLease)
	if errors.Is(err, fs.ErrNotExist) {
		return l, false, nil
	}
	if err != nil {
		return l, false, err
	}
	if json.Unmarshal(raw, &l) != nil || l.Tx == "" {
		//lint:ignore nilerr what is no lease binds nobody
		return Lease{}, false, nil
	}
	l.path = lockPath
	l.setRight(time.Now())
	return l, true, nil
}

// MaxSkew is how far the clocks of two machines, or one before and after it was set, may
// differ without anybody taking notice.
const MaxSkew = time.Minute

// setRight corrects the times of a lease that was granted in this boot by a clock that
// was set since.
func (l *Lease) setRight(now time.Time) {
	up, ok := uptime()
	if !ok || l.Uptime == 0 || l.Uptime > up || l.Boot == "" || l.Boot != Self().Boot {
		return
	}
	by := now.Add(l.Uptime - up).Sub(l.Granted)
	if by.Abs() <= MaxSkew {
		return
	}
	l.Granted, l.Expires = l.Granted.Add(by), l.Expires.Add(by)
	if !l.Unseen.IsZero() {
		l.Unseen = l.Unseen.Add(by)
	}
}

// writeLeaseFile replaces the lease file. The caller holds the exclusive lock,
// so what there is of a temporary file is a dead process's.
func writeLeaseFile(lockPath string, l Lease) error {
	raw, err := json.Marshal(&l)
	if err != nil {
		return err
	}
	temp := filepath.Join(filepath.Dir(lockPath), leaseTempName)
	if err := fsys.OS.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeNew(temp, append(raw, '\n'), leasePerm(lockPath)); err != nil {
		return errors.Join(err, fsys.OS.Remove(temp))
	}
	return fsys.OS.Rename(temp, leasePath(lockPath))
}

// leasePerm is the mode of the files of a lease: the lock's.
func leasePerm(lockPath string) fs.FileMode {
	if lock, err := fsys.OS.Lstat(lockPath); err == nil {
		return lock.Mode().Perm()
	}
	return 0o600
}

func writeNew(path string, raw []byte, perm fs.FileMode) error {
	f, err := fsys.OS.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|careful, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, inheritOwner(f), f.Chmod(perm), f.Close())
}

// honourLease returns the lease that keeps a request out, which holds the lock
// by now. A lease that is broken is marked as ended: whoever gets the lock past
// it makes it void for good, whatever the clocks say later.
func honourLease(r *Request) (*Lease, error) {
	if r.Mode != Exclusive || r.anyLease || missing(leasePath(r.Path)) {
		return nil, nil
	}
	l, ok, err := readLeaseFile(r.Path)
	if err != nil || !ok || l.Ended || l.Tx == r.Tx {
		return nil, err
	}
	if broken, _ := l.Broken(time.Now()); !broken {
		return &l, nil
	}
	// A lease that can't be marked is still broken when its owner comes.
	_ = endLeaseFile(r.Path, l)
	return nil, nil
}

// endLeaseFile marks the lease as ended. On a full disk, say, the file goes
// instead, and the tokens with it, which is no harm: a token counts only
// together with its transaction.
func endLeaseFile(lockPath string, l Lease) error {
	if l.Kept {
		_ = fsys.OS.Remove(keeperPath(lockPath)) // the lease has ended with or without it
	}
	l.Ended = true
	err := writeLeaseFile(lockPath, l)
	if err != nil && fsys.OS.Remove(leasePath(lockPath)) == nil {
		return nil
	}
	return err
}

// readSmall reads a file of at most limit bytes, not through a symbolic link.
func readSmall(path string, limit int64) ([]byte, error) {
	f, err := fsys.OS.OpenFile(path, os.O_RDONLY|careful, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}
