// Package hooks is how tests reach below a store, past the options that users have.
package hooks

import "github.com/jtx-project/jtx/wal/fsys"

// Hooks are what a store takes from the machine it runs on. The zero value of each is
// the machine's own.
type Hooks struct {
	// FS is the file system.
	FS fsys.FS
	// Boot names the boot of the machine.
	Boot [16]byte
	// CompactionSize is the size of a journal, in bytes, from which commits compact it.
	CompactionSize int64
}

// Over is h, with what more says instead.
func (h Hooks) Over(more Hooks) Hooks {
	if more.FS != nil {
		h.FS = more.FS
	}
	if more.Boot != [16]byte{} {
		h.Boot = more.Boot
	}
	if more.CompactionSize != 0 {
		h.CompactionSize = more.CompactionSize
	}
	return h
}

// Set puts hooks into a *txn.Options. Package txn sets it.
var Set func(options any, h Hooks)
