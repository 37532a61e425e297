package fsys

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// SameACL tells whether two files have one access control list, or none, beside their
// modes. What can't be asked counts as none.
func SameACL(a, b string) bool { return bytes.Equal(accessACL(a), accessACL(b)) }

func accessACL(name string) []byte {
	buf := make([]byte, 128)
	for {
		n, err := unix.Lgetxattr(name, "system.posix_acl_access", buf)
		if err == unix.ERANGE {
			buf = make([]byte, 4*len(buf))
			continue
		}
		return buf[:max(n, 0)]
	}
}
