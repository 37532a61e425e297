//go:build !linux

package fsys

// Needs is known on Linux only.
func Needs(string) ([]Need, error) { return nil, nil }
