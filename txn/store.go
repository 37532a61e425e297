package txn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/hooks"
	"github.com/jtx-project/jtx/txn/internal/oplog"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// Durability says what a commit survives once it has returned success. Every
// level survives kill -9 of any process, and never shows a part of a file or of
// a transaction.
type Durability uint8

const (
	// Full survives a power cut, for any program that reads the file: journal,
	// file and directory are synced. The default.
	Full Durability = iota
	// Journal survives a power cut too, but the directory is not synced: after
	// one, a plain reader may see the previous complete file until jtx next
	// touches it.
	Journal
	// None syncs nothing. A power cut or kernel crash may take the last
	// commits, and leave broken bytes under the file's name until jtx next
	// touches it. A transaction over several files is written at Journal.
	None
)

func (d Durability) String() string { return [...]string{"full", "journal", "none"}[d] }

// ParseDurability is the inverse of String.
func ParseDurability(s string) (Durability, error) {
	for d := Full; d <= None; d++ {
		if d.String() == s {
			return d, nil
		}
	}
	return 0, &Error{Kind: ErrInvalid, Err: fmt.Errorf("durability %q: want full, journal or none", s)}
}

// DefaultLockTimeout is how long a transaction waits for locks if Options says
// nothing.
const DefaultLockTimeout = 30 * time.Second

// Options of a Store. The zero value is good.
type Options struct {
	// Durability of commits, Full if not set.
	Durability Durability
	// LockTimeout bounds each transaction's waits. 0 means
	// DefaultLockTimeout, negative: don't wait.
	LockTimeout time.Duration
	// Actor is recorded with each transaction: $JTX_ACTOR or the user's name
	// if empty.
	Actor string
	// InPlace overwrites files instead of renaming over them: hard links and
	// watchers by inode survive, plain readers may see a half-written file.
	InPlace bool
	// WriteBehind lets commits be acknowledged before the plain files follow.
	WriteBehind WriteBehind
	// OnRecovery is told what any access of the store found unfinished, edited or
	// damaged outside, and what it did about that: also where there is no Result
	// to tell it, as in a View or in what follows a commit later. It is called
	// while the files are locked, by several goroutines perhaps, and must not use
	// the store.
	OnRecovery func([]recovery.Done)
	// OnMark is told, by whatever only looks at files, of what it has shown that is
	// not recorded, or not in the plain file yet. It is called by several goroutines
	// perhaps, and must not use the store.
	OnMark func(Mark)
	// OnSkipped is told of workspaces and files that what looks through a directory
	// passes over, since they can't be used; the same one may be told of again. Where it
	// is nil, those that return an error beside their results have it in that, and the
	// others fail.
	OnSkipped func(error)
	// Limits of documents and patches.
	Limits jsonpatch.Limits
	// Style is how changes are written where the file leaves a choice. Where it says
	// nothing of indents, the workspace's setting of the name SettingIndent does.
	Style jsonpatch.Style
	// Verb is what the log of operations calls what this store does. Nothing is
	// logged where it is empty.
	Verb string
	// TrackProtected lets each change begin the history of the protected files beside it
	// of which nothing is recorded yet.
	TrackProtected bool

	hooks hooks.Hooks // of tests, see package txntest
}

func init() {
	hooks.Set = func(options any, h hooks.Hooks) {
		opt := options.(*Options)
		opt.hooks = opt.hooks.Over(h)
	}
}

// Store runs transactions. It may be used by many goroutines at once. For some
// milliseconds behind a transaction it keeps its locks, for the next one on the
// same files, unless somebody else wants them. [Store.Close] lets go of all.
type Store struct {
	opt Options
	src *versions.Source
	log *oplog.Log
	*kept
}

// kept is what a store keeps between transactions.
type kept struct {
	groupsMu sync.Mutex
	groups   map[groupKey]*group
	parked   parked
	lagging  lagging
	beside   beside
	cache    cache
	handles  handles
}

// Open gives a store whose relative file names are relative to dir, which must be there.
// It creates nothing: the first write to a file does.
func Open(dir string, opt Options) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fault.In(dir, err)
	}
	if err := fsys.ReachHere(abs); err != nil {
		return nil, fault.In(dir, err)
	}
	if opt.LockTimeout == 0 {
		opt.LockTimeout = DefaultLockTimeout
	}
	if opt.Actor == "" {
		opt.Actor = defaultActor()
	}
	opt.Limits.Loose = true // what somebody gives is looked at before
	h := opt.hooks
	if h.FS == nil {
		h.FS = fsys.OS
	}
	if h.Boot == [16]byte{} {
		h.Boot = wal.BootID()
	}
	// One that may not be looked at from here is for its files to tell.
	switch info, err := h.FS.Stat(abs); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Error{Kind: ErrNotFound, File: dir, Err: errors.New("no such directory")}
	case err == nil && !info.IsDir():
		return nil, &Error{Kind: ErrInvalid, File: dir, Err: errors.New("is no directory")}
	}
	k := &kept{groups: map[groupKey]*group{}}
	k.parked.sessions = map[string]*session{}
	k.lagging.files = map[string]*session{}
	k.cache.files = map[string]*cached{}
	k.handles.open = map[string]*handle{}
	site := &workspace.Site{
		Dir: abs, FS: h.FS, Boot: h.Boot, Locks: lockmgr.Default, LockTimeout: opt.LockTimeout, OnSkipped: opt.OnSkipped,
	}
	src := &versions.Source{Site: site, Limits: opt.Limits, OnMark: opt.OnMark, LargeJournal: cmp.Or(h.CompactionSize, versions.CompactionSize)}
	s := &Store{opt: opt, kept: k, src: src, log: &oplog.Log{Site: site, Verb: opt.Verb}}
	site.Settle = func(ctx context.Context, name, passOver string, hasty bool) error {
		return s.locked(ctx, []string{name}, doors.Locking{PassOver: passOver, Sweep: true, Hasty: hasty}, nothing)
	}
	return s, nil
}

// shared is the store of [Do], [View] and [Update]: one for the working directory
// and the actor as they are now.
func shared() (*Store, error) {
	dir, err := filepath.Abs(".")
	if err != nil {
		return nil, fault.In(".", err)
	}
	actor := defaultActor()
	sharedMu.Lock()
	defer sharedMu.Unlock()
	if s := sharedStore; s != nil && s.src.Dir == dir && s.opt.Actor == actor {
		return s, nil
	}
	sharedStore, err = Open(dir, Options{Actor: actor})
	return sharedStore, err
}

var (
	sharedMu    sync.Mutex
	sharedStore *Store
)

// defaultActor is $JTX_ACTOR, else the user's name or number.
func defaultActor() string {
	for _, name := range []string{"JTX_ACTOR", "USER", "LOGNAME"} {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Getuid())
}

// Init makes dir the root of a workspace that covers its whole tree. Where there
// is a workspace already it is left, and created is false.
func (s *Store) Init(ctx context.Context, dir string) (root string, created bool, err error) {
	return s.src.MakeRoot(ctx, dir)
}
