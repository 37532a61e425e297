// Package tail is a prototype of a shared log: one log for all files of a workspace
// that durably holds their last records, so that a commit of any number of files,
// and any number of commits at once, are durable after one sync.
//
// Each file's own journal stays its history. A unit is one frame of the shared log,
// and is committed when that is durable. Its records are copied to the journals
// behind the acknowledgement; when the journals are synced, the frame's place can be
// overwritten. There are two segments, as DESIGN.md describes: one is filled while
// what the other holds is copied, and whoever wants to overwrite what is not copied
// yet waits. Open copies what a crash has kept from being copied. Close leaves
// nothing: a workspace at rest has its journals only.
//
// It is a prototype: one process has it, a failed copy is not tried again before
// Open, and a unit that no segment holds is refused.
package tail

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// ErrTooLarge is returned when a unit does not fit a segment. Nothing was done.
var ErrTooLarge = errors.New("unit is too large for the shared log")

// Options of Open. The zero value serves.
type Options struct {
	FS          fsys.FS       // fsys.OS if nil
	SegmentSize int64         // of each of the two segments, in bytes; 1 MB if 0
	Delay       time.Duration // how long a journal may lack a record; 1 s if 0
	Boot        [16]byte      // wal.BootID() if zero
}

// Log is an open shared log. Its methods may be called by many goroutines.
type Log struct {
	dir string
	opt Options

	mu       sync.Mutex
	changed  *sync.Cond // what is below, in a way that somebody may wait for
	pending  []*Unit    // not written yet
	writing  bool       // a leader is at work, who alone touches what has no other mark
	uncopied []*Unit    // durable here, and perhaps not in the journals
	copied   uint64     // the journals durably have the frames up to this one
	failed   error      // sticks: what the disk has then, only Open can tell

	segments [2]fsys.File
	active   int       // the one that is appended to
	off      int64     // where
	last     [2]uint64 // the last frame in each
	seq      uint64    // the last frame written and synced
	company  bool      // the last batch was of several units
	buf      []byte

	copying sync.Mutex // held by who copies to journals
	wake    chan struct{}
	stop    chan struct{}
	copier  sync.WaitGroup
}

// File is one file's journal, as seen through the shared log.
type File struct {
	name    string
	journal *wal.Log // touched only under Log.copying
	lsn     wal.LSN  // the last one that Append gave out
}

// LSN is the file's last record. The caller holds the file's lock.
func (f *File) LSN() wal.LSN { return f.lsn }

// Part is a record for one file.
type Part struct {
	File   *File
	Record *wal.Record // must not be touched after Append
}

// Unit is what is committed as one.
type Unit struct {
	parts   []Part
	payload []byte
	seq     uint64
	durable bool
}

// Open copies what the shared log of a workspace holds to the journals in
// dir/files, and begins a new log.
func Open(dir string, opt Options) (*Log, error) {
	opt.FS = cmp.Or(opt.FS, fsys.OS)
	opt.SegmentSize = cmp.Or(opt.SegmentSize, 4<<20)
	opt.Delay = cmp.Or(opt.Delay, time.Second)
	l := &Log{dir: dir, opt: opt, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	l.changed = sync.NewCond(&l.mu)
	if err := l.recover(); err != nil {
		return nil, err
	}
	for i := range l.segments {
		f, err := l.create(i)
		if err != nil {
			return nil, errors.Join(err, l.closeSegments())
		}
		l.segments[i] = f
	}
	if err := fsys.SyncDir(opt.FS, dir); err != nil {
		return nil, errors.Join(err, l.closeSegments())
	}
	l.copier.Go(l.copyBehind)
	return l, nil
}

func (l *Log) path(i int) string { return filepath.Join(l.dir, fmt.Sprintf("tail.%d", i)) }

// create writes a segment full of zeros: a sync that changes neither the size nor
// the blocks of a file has no more to do than the data.
func (l *Log) create(i int) (fsys.File, error) {
	f, err := l.opt.FS.OpenFile(l.path(i), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteAt(make([]byte, l.opt.SegmentSize), 0)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// File opens a file's journal. The caller holds the file's lock until Close.
func (l *Log) File(name string) (*File, error) {
	journal, err := l.journal(name)
	if err != nil {
		return nil, err
	}
	return &File{name, journal, journal.State().Last}, nil
}

func (l *Log) journal(name string) (*wal.Log, error) {
	files := filepath.Join(l.dir, "files")
	return wal.Open(filepath.Join(files, name), wal.Options{FS: l.opt.FS, Boot: l.opt.Boot, DirChain: []string{files, l.dir}})
}

// Append puts a unit in line and gives its records their LSNs. It is committed when
// Wait has returned success, and whatever is appended later is behind it: so the
// caller, who holds the files' locks, may give them back before it waits.
func (l *Log) Append(parts ...Part) (*Unit, error) {
	u := &Unit{parts: parts}
	u.payload = binary.AppendUvarint(nil, uint64(len(parts)))
	for _, p := range parts {
		p.Record.LSN = p.File.lsn + 1
		enc, err := p.Record.Encode()
		if err != nil {
			return nil, err
		}
		u.payload = append(binary.AppendUvarint(u.payload, uint64(len(p.File.name))), p.File.name...)
		u.payload = append(binary.AppendUvarint(u.payload, uint64(len(enc))), enc...)
	}
	if size(len(u.payload)) > l.opt.SegmentSize-headerSize {
		return nil, ErrTooLarge
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return nil, l.failed
	}
	for _, p := range parts {
		p.File.lsn++
	}
	l.pending = append(l.pending, u)
	return u, nil
}

// Wait returns when the unit is durable. Of those who wait one leads: it writes and
// syncs what is in line, for all of them. An error leaves the unit in doubt: Open
// decides.
func (l *Log) Wait(u *Unit) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !u.durable && l.failed == nil {
		if l.writing {
			l.changed.Wait()
			continue
		}
		l.writing = true
		if err := l.lead(); err != nil && l.failed == nil {
			l.failed = err
		}
		l.writing = false
		l.changed.Broadcast()
	}
	if !u.durable {
		return l.failed
	}
	return nil
}

// lead is called and returns with l.mu held. A leader whose forerunner had company
// lets ready goroutines run first, so that they are in line too.
func (l *Log) lead() error {
	if l.company {
		l.mu.Unlock()
		runtime.Gosched()
		l.mu.Lock()
	}
	if size(len(l.pending[0].payload)) > l.room() {
		if err := l.change(); err != nil {
			return err
		}
	}
	batch := l.take()
	copied := l.copied
	l.mu.Unlock()
	err := l.write(batch, copied)
	l.mu.Lock()
	if err != nil {
		return err
	}
	for _, u := range batch {
		u.durable = true
	}
	l.uncopied = append(l.uncopied, batch...)
	return nil
}

// room is what units may take in the active segment: behind them a frame without
// records must still fit.
func (l *Log) room() int64 { return l.opt.SegmentSize - headerSize - l.off }

func (l *Log) take() []*Unit {
	n, room := 0, l.room()
	for n < len(l.pending) && size(len(l.pending[n].payload)) <= room {
		room -= size(len(l.pending[n].payload))
		n++
	}
	batch := l.pending[:n:n]
	l.pending = l.pending[n:]
	l.company = n > 1
	return batch
}

// write makes the batch durable; without one, what the journals have.
func (l *Log) write(batch []*Unit, copied uint64) error {
	f := frame{seq: l.seq, copied: copied, synced: l.seq}
	next := func(payload []byte) uint64 {
		f.seq, f.payload = f.seq+1, payload
		l.buf = f.appendTo(l.buf)
		return f.seq
	}
	l.buf = l.buf[:0]
	for _, u := range batch {
		u.seq = next(u.payload)
		u.payload = nil
	}
	if len(batch) == 0 {
		next(nil)
	}
	file := l.segments[l.active]
	if _, err := file.WriteAt(l.buf, l.off); err != nil {
		return err
	}
	if err := file.Datasync(); err != nil {
		return err
	}
	l.seq, l.off = f.seq, l.off+int64(len(l.buf))
	l.last[l.active] = f.seq
	return nil
}

// change goes on in the other segment, once the journals have all that it holds.
// This is made durable first: what is not in order in that segment is not missed
// then. Meanwhile what the full one holds is copied.
func (l *Log) change() error {
	other := 1 - l.active
	l.copySoon()
	for l.copied < l.last[other] {
		if l.failed != nil {
			return l.failed
		}
		l.changed.Wait()
	}
	copied := l.copied
	l.mu.Unlock()
	err := l.write(nil, copied)
	l.mu.Lock()
	l.active, l.off = other, 0
	return err
}

// Close copies what is left and removes the log. The files' journals are closed by
// their own Close.
func (l *Log) Close() error {
	close(l.stop)
	l.copier.Wait()
	err := l.Checkpoint()
	if err == nil {
		err = l.remove(l.active)
	}
	return errors.Join(err, l.closeSegments())
}

func (l *Log) closeSegments() error {
	var errs []error
	for _, f := range l.segments {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
