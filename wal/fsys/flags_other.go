//go:build !unix

package fsys

// NoFollow and NonBlock have no counterpart here.
const (
	NoFollow = 0
	NonBlock = 0
)
