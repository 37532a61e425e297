//go:build !linux

package lockmgr

// Look can't tell.
func Look() Seen { return Seen{} }
