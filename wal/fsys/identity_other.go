//go:build !linux

package fsys

// identityWithBirth is not told here: device and inode must do.
func identityWithBirth(File) (Identity, bool) { return Identity{}, false }
