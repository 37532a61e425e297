// Package workspace knows where things are: which workspace a file belongs to and who
// makes it, where the file's journal is and who may use it, what is set there, and where
// the file stands in its history by `state` alone. It reads no record but the last, and
// locks nothing but what it makes or takes away.
//
// A [Site] resolves each name to a [Target]; a [FileSet] has those of one call, and finds
// the other files of their transactions; a [Scope] has what is at, above and below paths.
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
