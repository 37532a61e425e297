package wal

import (
	"fmt"
	"math"
	"os"
	"reflect"

	tidwall "github.com/tidwall/wal"

	"github.com/jtx-project/jtx/wal/fsys"
)

// appender is tidwall/wal's handle on the directory of the tail segment.
//
// jtx fills segments itself: tidwall/wal is told of no limit, so that each
// segment is made, synced and entered in its directory by code whose every step
// can be failed in a test. Its Read isn't used either: it believes what it reads.
type appender struct{ log *tidwall.Log }

func openAppender(dir string, opt *Options) (*appender, error) {
	path, release, err := fsys.BeneathDir(dir)
	if err != nil {
		return nil, err
	}
	defer release() // it opens nothing later
	log, err := tidwall.Open(path, &tidwall.Options{
		NoSync:      true, // Sync is explicit, at the commit point
		SegmentSize: math.MaxInt,
		NoCopy:      true,
		AllowEmpty:  true, // a segment is made before its first record
		DirPerms:    opt.DirPerm,
		FilePerms:   opt.FilePerm,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return &appender{log: log}, nil
}

func (a *appender) last() (LSN, error) {
	last, err := a.log.LastIndex()
	return LSN(last), err
}

func (a *appender) append(lsn LSN, frame []byte) error { return a.log.Write(uint64(lsn), frame) }

// drop closes the handle's file without tidwall/wal's Close, which always syncs:
// that costs a flush for each commit, and after a failed sync it would be the
// second one that must not be. The library has no other way, and leaving the file
// to the garbage collector would run a busy process out of descriptors. So the
// field is taken from the struct; in a version that has no such field, the
// collector gets it after all.
func (a *appender) drop() {
	if a == nil {
		return
	}
	file := reflect.ValueOf(a.log).Elem().FieldByName("sfile")
	if file.IsValid() && file.Type() == reflect.TypeFor[*os.File]() {
		_ = (*os.File)(file.UnsafePointer()).Close() // nothing is buffered
	}
}
