//go:build !linux

package recovery

// MountPoint is known on Linux only. Elsewhere the rename over one fails.
func MountPoint(string) bool { return false }
