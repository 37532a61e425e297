package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/wal/fsys"
)

// DefaultSegmentSize is where a segment is full, in bytes. tidwall/wal reads the
// whole tail segment when it opens, so a small one keeps that short.
const DefaultSegmentSize = 64 << 10

// Options of Open. The zero value serves.
type Options struct {
	FS fsys.FS // fsys.OS if nil
	// SegmentSize is where a segment is full, in bytes; 0 is DefaultSegmentSize.
	SegmentSize int
	// DirPerm and FilePerm are given exactly, whatever the umask, setgid included.
	// 0 is 0700 and 0600.
	DirPerm, FilePerm fs.FileMode
	// Boot is BootID() if zero.
	Boot [16]byte
	// DirChain are the directories whose entries must be synced, too, when the
	// journal's first record is made durable: the parents up to the workspace.
	DirChain []string
}

func (o Options) withDefaults() Options {
	o.FS = orOS(o.FS)
	if o.SegmentSize <= 0 {
		o.SegmentSize = DefaultSegmentSize
	}
	if o.DirPerm == 0 {
		o.DirPerm = 0o700
	}
	if o.FilePerm == 0 {
		o.FilePerm = 0o600
	}
	if o.Boot == [16]byte{} {
		o.Boot = BootID()
	}
	return o
}

// CutReport says what was cut off as a torn tail. Zero means nothing.
type CutReport struct {
	Path   string // the segment
	Offset int64  // where it ends now, in bytes
	Bytes  int64  // how much was cut
	First  LSN    // the first record that was, or would have been, there
	Blank  bool   // they were zeros: room that was made for records
}

// Log is one file's journal, open for appending. From Open to Close, or from
// Refresh on where it is kept, its user holds the file's exclusive lock. Its
// methods must not be called at the same time.
type Log struct {
	dir string
	opt Options
	fs  fsys.FS

	state   State // as it stands; on disk it may be older
	trusted bool
	known   bool
	made    int64 // when the last record was made, in ns since 1970, 0 where that isn't known yet
	cut     CutReport
	// suspect means that records above the durable mark may be in the page cache
	// only, after a sync that failed in another process. See Secure.
	suspect bool
	failed  error // the first failed append or sync
	closed  bool

	last *Record // the newest one, if this Log appended it and it has no image

	stateFile fsys.File       // nil where there is no file for it yet
	self      Identity        // of stateFile
	onDisk    [stateSize]byte // what stateFile holds; zero where that isn't known
	tail      fsys.File       // our own descriptor of the tail segment, for syncing
	appender  *appender       // of the same
	room      int64           // zeros behind the last record, in bytes
	run       int             // appends since the lock was taken, or room was made
}

// Open opens the journal of the file directory dir, .jtx/files/<x>. It creates
// nothing. Where the state is of this boot, nothing is pending and the tail has the
// size that it says, nothing else is read: the cost doesn't grow with the history.
// Else the tail is checked, and cut where it is torn.
func Open(dir string, opt Options) (*Log, error) {
	opt = opt.withDefaults()
	l := &Log{dir: dir, opt: opt, fs: opt.FS}
	if err := l.load(true); err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

// State is the journal's state as it now stands.
func (l *Log) State() State { return l.state }

// Trusted reports whether Open or Refresh found a state of this boot with nothing
// pending, or Settle has written one: there is nothing to resolve. So it is in an
// empty journal.
func (l *Log) Trusted() bool { return l.trusted }

// Known reports whether the state was of this boot, pending or not: Applied, File
// and Content can be believed.
func (l *Log) Known() bool { return l.known }

// Cut is what Open, Refresh or Reopen cut off.
func (l *Log) Cut() CutReport { return l.cut }

// Empty reports whether there is no record.
func (l *Log) Empty() bool { return l.state.Last == 0 }

// Dir is the directory that Open was given.
func (l *Log) Dir() string { return l.dir }

// Read reads one record from the disk and checks it, unless it is the one that was
// appended last. For the last one, which each commit reads, the state says where it
// is.
func (l *Log) Read(lsn LSN) (*Record, error) {
	if l.last != nil && l.last.LSN == lsn {
		return l.last, nil
	}
	if lsn == l.state.Last {
		if rec := l.readLast(); rec != nil {
			return rec, nil
		}
	}
	return ReadRecord(l.fs, l.dir, lsn)
}

// readLast is nil where the last record is not what and where the state says: why
// that is so, a look at the whole segment tells.
func (l *Log) readLast() *Record {
	s := &l.state
	if l.usable() != nil || s.LastSize <= 0 || s.LastSize > s.Offset || s.Last < s.Segment || l.openSegment() != nil {
		return nil
	}
	return s.lastIn(l.tail)
}

// load reads the state, and whatever else is needed to know where the tail is.
func (l *Log) load(trust bool) error {
	l.last = nil
	floor := l.state.Durable // what this process has synced itself is never forgotten
	l.trusted, l.known, l.suspect, l.cut = false, false, false, CutReport{}
	state, ok, err := l.readState()
	if err != nil {
		return err
	}
	l.state, l.made = state, 0
	l.known = ok && state.Boot == l.opt.Boot
	if trust && l.known && !state.Pending && l.tailIsWhereStateSays() {
		l.trusted = true
		return nil
	}
	l.state.Durable = max(l.state.Durable, floor)
	if err := l.preflight(ok, trust); err != nil {
		return err
	}
	if trust && l.known && !state.Pending && l.cut.Blank && l.state.Last == state.Last {
		// Whoever settled it died before it could cut its room.
		l.trusted, l.suspect, l.cut = true, false, CutReport{}
	}
	if !l.trusted || l.state.Last == 0 {
		l.state.Resumed = l.state.Last + resumedReach
	}
	return nil
}

func (l *Log) readState() (State, bool, error) {
	if l.stateFile == nil {
		f, err := l.fs.OpenFile(l.statePath(), os.O_RDWR|careful, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return State{}, false, nil
		}
		if err != nil {
			return State{}, false, err
		}
		if err := l.holdState(f); err != nil {
			return State{}, false, err
		}
	}
	state, ok, raw, err := readState(l.stateFile, l.self)
	l.onDisk = [stateSize]byte{}
	if ok {
		l.onDisk = [stateSize]byte(raw)
	}
	return state, ok, err
}

// holdState keeps f as the file that the state is in.
func (l *Log) holdState(f fsys.File) error {
	self, err := identify(l.fs, f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.stateFile, l.self = f, self
	return nil
}

func (l *Log) statePath() string { return StatePath(l.dir) }
func (l *Log) journal() string   { return journalDir(l.dir, l.state.Gen) }
func (l *Log) groupDir() string  { return groupDir(l.journal(), l.state.Group) }
func (l *Log) tailPath() string {
	return segmentPath(l.journal(), l.state.Group, l.state.Segment)
}

func (l *Log) tailIsWhereStateSays() bool {
	if l.state.Last == 0 {
		return false
	}
	info, err := l.fs.Lstat(l.tailPath())
	return err == nil && info.Size() == l.state.Offset
}

// usable reports why nothing more can be done with l, if so.
func (l *Log) usable() error {
	if l.closed {
		return fmt.Errorf("%s: %w", l.dir, ErrClosed)
	}
	if l.failed != nil {
		return fmt.Errorf("%s: %w: %w", l.dir, ErrFailed, l.failed)
	}
	return nil
}

// fail makes an error stick: what it left in tidwall/wal's memory and in the page
// cache is not known.
func (l *Log) fail(err error) error {
	if err != nil && l.failed == nil {
		l.failed = err
	}
	return err
}

// MarkPending writes the state with Pending set. It must go before the first
// append of a commit, and Append sees to it where the caller didn't.
func (l *Log) MarkPending() error {
	if err := l.usable(); err != nil {
		return err
	}
	l.state.Pending = true
	return l.writeState()
}

// Settle writes the state of a commit that is over: applied is the last record
// whose result the file has, file and content what it looks like now, strict that
// the content is known to be strict JSON.
func (l *Log) Settle(applied LSN, file FileID, content Version, strict bool) error {
	err := l.SetState(func(s *State) {
		s.Boot = l.opt.Boot
		s.Pending, s.InPlace = false, false
		s.Applied, s.File, s.Content, s.Strict = applied, file, content, strict
	})
	l.trusted = err == nil
	return err
}

// SetNamed notes that the file's name durably leads to the version of a record, or to a
// later one. The next settling writes it, and later records say it.
func (l *Log) SetNamed(lsn LSN) { l.state.Named = max(l.state.Named, min(lsn, l.state.Last)) }

// SetMode notes the permissions of the file, which the next settling writes; nil, for a
// file that is not there, leaves what they were.
func (l *Log) SetMode(info fs.FileInfo) {
	if info != nil {
		l.state.Mode = info.Mode().Perm()
	}
}

// SyncState makes the state durable as it was last written.
func (l *Log) SyncState() error {
	if err := l.usable(); err != nil {
		return err
	}
	if l.stateFile == nil {
		return nil // nothing was written
	}
	return l.stateFile.Datasync()
}

// SetState changes the state and writes it. What the journal itself knows best,
// from Gen to SinceImage, must be left alone.
func (l *Log) SetState(set func(*State)) error {
	if err := l.usable(); err != nil {
		return err
	}
	set(&l.state)
	return l.writeState()
}

// writeState writes the state over the older one of the two, unsynced: every process of this boot
// sees it, and no other boot believes it.
func (l *Log) writeState() error {
	if l.stateFile == nil {
		if err := l.createState(); err != nil {
			return err
		}
	}
	l.state.Written, l.state.WrittenIn, l.state.Self = time.Now().UnixNano(), l.opt.Boot, l.self
	l.onDisk = [stateSize]byte{}
	next := l.state
	next.Seq++
	b := next.encode()
	if _, err := l.stateFile.WriteAt(b[:], next.slot()); err != nil {
		return err
	}
	l.state.Seq, l.onDisk = next.Seq, b
	l.known = l.state.Boot == l.opt.Boot
	return nil
}

// createState makes the file that the state is in, where nobody has locked it yet.
func (l *Log) createState() error {
	f, err := l.create(l.statePath(), 0)
	if err != nil {
		return err
	}
	if err := l.holdState(f); err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && info.Size() < lockSize {
		err = f.Truncate(lockSize)
	}
	return err
}

// create makes a file with exactly FilePerm.
func (l *Log) create(path string, flag int) (fsys.File, error) {
	f, err := l.fs.OpenFile(path, os.O_RDWR|os.O_CREATE|careful|flag, l.opt.FilePerm)
	if err != nil {
		return nil, err
	}
	err = fsys.InheritOwner(l.fs, f, filepath.Dir(path))
	if err == nil {
		err = f.Chmod(l.opt.FilePerm)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Refresh is for a Log that was kept while the lock was not held: it finds out
// whether another process has written in between, and if so reads again.
func (l *Log) Refresh() error {
	if err := l.usable(); err != nil {
		return err
	}
	l.cut = CutReport{}
	if l.unchanged() {
		return nil
	}
	l.release()
	l.state = State{}
	return l.load(true)
}

// unchanged compares the state's bytes and the tail's identity and size.
func (l *Log) unchanged() bool {
	if l.stateFile == nil || l.onDisk == [stateSize]byte{} || l.state.Pending {
		return false
	}
	mine, err := l.stateFile.Stat()
	if err != nil {
		return false
	}
	named, err := l.fs.Lstat(l.statePath())
	if err != nil || !os.SameFile(mine, named) {
		return false
	}
	_, ok, raw, err := readState(l.stateFile, l.self)
	if err != nil || !ok || [stateSize]byte(raw) != l.onDisk {
		return false
	}
	return l.tailUnchanged()
}

func (l *Log) tailUnchanged() bool {
	named, err := l.fs.Lstat(l.tailPath())
	if err != nil || named.Size() != l.state.Offset {
		return false
	}
	if l.tail == nil {
		return true
	}
	mine, err := l.tail.Stat()
	return err == nil && os.SameFile(mine, named)
}

// Close lets go of the files. It never syncs: what is to be durable, Sync has made
// durable, and the rest isn't worth a flush.
func (l *Log) Close() error {
	l.release()
	l.closed = true
	return nil
}

// release closes every descriptor. Nothing is buffered in any of them, and what
// their closing could report, a sync would have.
func (l *Log) release() {
	l.releaseTail()
	if l.stateFile != nil {
		_ = l.stateFile.Close()
		l.stateFile = nil
	}
}

func (l *Log) releaseTail() {
	l.appender.drop()
	l.appender = nil
	l.room, l.run = 0, 0
	if l.tail != nil {
		_ = l.tail.Close()
		l.tail = nil
	}
}
