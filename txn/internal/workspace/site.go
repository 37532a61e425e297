package workspace

import (
	"context"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/wal/fsys"
)

// Site is where a store works.
type Site struct {
	Dir   string // that relative names are relative to, absolute
	FS    fsys.FS
	Boot  [16]byte // of the machine
	Locks *lockmgr.Manager
	// LockTimeout is how long one call waits for locks; see [Site.Patience].
	LockTimeout time.Duration
	// OnSkipped is told of what can't be used, and is passed over; it may be nil.
	OnSkipped func(error)
	// Settle lets recovery settle a file, whose workspace is the one behind passOver.
	Settle func(ctx context.Context, name, passOver string, hasty bool) error
}
