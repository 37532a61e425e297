package fsys

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

const (
	aclAccess  = "system.posix_acl_access"
	aclDefault = "system.posix_acl_default"
)

// SameACL tells whether two files have one access control list, or none, beside their
// modes. What can't be asked counts as none.
func SameACL(a, b string) bool { return bytes.Equal(accessACL(a), accessACL(b)) }

func accessACL(name string) []byte {
	buf := make([]byte, 128)
	for {
		n, err := unix.Lgetxattr(Reach(name), aclAccess, buf)
		if err == unix.ERANGE {
			buf = make([]byte, 4*len(buf))
			continue
		}
		return buf[:max(n, 0)]
	}
}

// DropACL removes the access control lists that a file or directory that was just made
// has from its directory, so that its mode alone tells who may use it.
func DropACL(f File) error {
	for _, name := range []string{aclDefault, aclAccess} {
		fd := int(f.Fd())
		if _, err := unix.Fgetxattr(fd, name, nil); err != nil {
			continue // it has none
		}
		err := retried(func() error { return unix.Fremovexattr(fd, name) })
		if err != nil && !errors.Is(err, unix.ENODATA) {
			return &os.PathError{Op: "removexattr", Path: f.Name(), Err: err}
		}
	}
	return nil
}

// ModeWithoutACL is the mode for what is for those who may use the file at name, and has
// no access control list where that has one. The bits of its group are then the most
// that the list gives to anybody in it, and become what the group itself has; that is
// nothing where a user is named who may not read, and may be in the group. Everybody
// else gets no more than anybody named.
func ModeWithoutACL(name string, mode fs.FileMode) fs.FileMode {
	return withoutACL(accessACL(name), mode)
}

// The layout of an access control list, see linux/posix_acl_xattr.h: a version, then
// entries of a tag and permissions, 16 bits each, and an id.
const (
	aclVersion = 2
	aclHeader  = 4
	aclEntry   = 8

	aclUser     = 0x02
	aclGroupObj = 0x04
	aclGroup    = 0x08
	aclMask     = 0x10
)

func withoutACL(acl []byte, mode fs.FileMode) fs.FileMode {
	if len(acl) == 0 {
		return mode
	}
	le := binary.LittleEndian
	if len(acl) < aclHeader || le.Uint32(acl) != aclVersion {
		return mode &^ 0o077 // nothing is known of it
	}
	group, mask, user, named := fs.FileMode(7), fs.FileMode(7), fs.FileMode(7), fs.FileMode(7)
	for at := aclHeader; at+aclEntry <= len(acl); at += aclEntry {
		perm := fs.FileMode(le.Uint16(acl[at+2:])) & 7
		switch le.Uint16(acl[at:]) {
		case aclGroupObj:
			group = perm
		case aclMask:
			mask = perm
		case aclUser:
			user &= perm
		case aclGroup:
			named &= perm
		}
	}
	if group &= mask; user&4 == 0 {
		group = 0
	}
	other := mode & 7 & user & named & mask
	return mode&^0o077 | group<<3 | other
}
