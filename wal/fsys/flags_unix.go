//go:build unix

package fsys

import "syscall"

// NoFollow makes OpenFile fail where the name is a symbolic link; NonBlock makes
// it return at once where it is a FIFO.
const (
	NoFollow = syscall.O_NOFOLLOW
	NonBlock = syscall.O_NONBLOCK
)
