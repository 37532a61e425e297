//go:build unix

package fsys

import (
	"errors"
	"os"
	"syscall"
)

// InheritOwner gives a file that was just made the owner and group of its
// directory where the caller is root: so that root leaves nothing in a user's
// workspace that the user can't use. For anybody else it does nothing.
func InheritOwner(fsy FS, f File, dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := fsy.Stat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Uid == 0 && st.Gid == 0 {
		return nil
	}
	have, err := f.Stat()
	if err != nil {
		return err
	}
	if own, ok := have.Sys().(*syscall.Stat_t); ok && own.Uid == st.Uid && own.Gid == st.Gid {
		return nil
	}
	err = f.Chown(int(st.Uid), int(st.Gid))
	if errors.Is(err, syscall.EINVAL) {
		return nil // a user of another namespace, who can't be named here
	}
	return err
}
