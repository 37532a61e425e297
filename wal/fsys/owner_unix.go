//go:build unix

package fsys

import (
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
	return f.Chown(int(st.Uid), int(st.Gid))
}
