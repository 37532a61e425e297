package tail

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// atOnce is how many journals are synced in parallel.
const atOnce = 2

func (l *Log) copySoon() {
	select {
	case l.wake <- struct{}{}:
	default: // it will
	}
}

// copyBehind copies when a segment is full, and when records have waited for long.
// What fails is kept for the next one who appends.
func (l *Log) copyBehind() {
	delay := time.NewTicker(l.opt.Delay)
	defer delay.Stop()
	for {
		select {
		case <-l.wake:
		case <-delay.C:
		case <-l.stop:
			return
		}
		_ = l.Checkpoint()
	}
}

// Checkpoint copies all that is durable to the journals and syncs them.
func (l *Log) Checkpoint() error {
	l.copying.Lock()
	defer l.copying.Unlock()
	l.mu.Lock()
	units, err := l.uncopied, l.failed
	l.uncopied = nil
	l.mu.Unlock()
	if err != nil || len(units) == 0 {
		return err
	}
	err = copyUnits(units)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed = errors.Join(l.failed, err)
	} else {
		l.copied = units[len(units)-1].seq
	}
	l.changed.Broadcast()
	return err
}

func copyUnits(units []*Unit) error {
	recs := map[*wal.Log][]*wal.Record{}
	for _, u := range units {
		for _, p := range u.parts {
			recs[p.File.journal] = append(recs[p.File.journal], p.Record)
		}
	}
	return copyRecords(recs)
}

func copyRecords(recs map[*wal.Log][]*wal.Record) error {
	var group sync.WaitGroup
	errs := make(chan error, len(recs))
	slots := make(chan struct{}, atOnce)
	for journal, list := range recs {
		slots <- struct{}{}
		group.Go(func() {
			errs <- copyTo(journal, list)
			<-slots
		})
	}
	group.Wait()
	close(errs)
	var all error
	for err := range errs {
		all = errors.Join(all, err)
	}
	return all
}

// copyTo adds to a journal what it lacks of the records. It has them up to some LSN,
// perhaps not durably.
func copyTo(journal *wal.Log, recs []*wal.Record) error {
	last := journal.State().Last
	recs = slices.DeleteFunc(recs, func(r *wal.Record) bool { return r.LSN <= last })
	if len(recs) > 0 {
		if err := fits(journal, recs[0]); err != nil {
			return err
		}
	}
	return errors.Join(journal.Append(recs...), journal.Sync())
}

// fits compares a record with what the journal ends with: the log may be of another
// time than the journal, where somebody has brought one of them back from a copy.
func fits(journal *wal.Log, r *wal.Record) error {
	last := journal.State().Last
	if r.LSN != last+1 {
		return fmt.Errorf("%w: %s ends at %d, and the next record is %d", ErrCorrupt, journal.Dir(), last, r.LSN)
	}
	if last == 0 {
		return nil
	}
	before, err := journal.Read(last)
	if err == nil && before.After != r.Before {
		err = fmt.Errorf("%w: %s has another version before record %d", ErrCorrupt, journal.Dir(), r.LSN)
	}
	return err
}

// Settle says in a file's state that the record, which has been copied, is in place.
func (l *Log) Settle(f *File, applied wal.LSN, id wal.FileID, content wal.Version) error {
	l.copying.Lock()
	defer l.copying.Unlock()
	return f.journal.Settle(applied, id, content, false) // whether it is strict JSON, the next reader finds out
}

// Close closes the journals of files, once the log is closed.
func (f *File) Close() error { return f.journal.Close() }

// recover copies to the journals what they lack, and removes the log. It can be cut
// off and run again: a record that a journal has is known by its LSN.
func (l *Log) recover() error {
	var found [2]segment
	for i := range found {
		data, err := fsys.ReadFile(l.opt.FS, l.path(i))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		found[i] = readSegment(data)
	}
	live, err := join(found[0], found[1])
	if err != nil {
		return err
	}
	if err := l.redo(live); err != nil {
		return err
	}
	newer := 0
	if a, b := found[0].frames, found[1].frames; len(a) == 0 || len(b) > 0 && b[0].seq > a[0].seq {
		newer = 1
	}
	return l.remove(newer)
}

func (l *Log) redo(live []frame) (err error) {
	journals := map[string]*wal.Log{}
	recs := map[*wal.Log][]*wal.Record{}
	defer func() {
		for _, journal := range journals {
			err = errors.Join(err, journal.Close())
		}
	}()
	for _, f := range live {
		err := eachRecord(f.payload, func(name string, r *wal.Record) error {
			if journals[name] == nil {
				journal, err := l.journal(name)
				if err != nil {
					return err
				}
				journals[name] = journal
			}
			recs[journals[name]] = append(recs[journals[name]], r)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return copyRecords(recs)
}

// eachRecord reads a payload, which may be empty.
func eachRecord(b []byte, do func(name string, r *wal.Record) error) error {
	n, used := binary.Uvarint(b)
	if used <= 0 {
		return nil
	}
	b = b[used:]
	for range n {
		name, rest, ok := cut(b)
		enc, rest, ok2 := cut(rest)
		if !ok || !ok2 {
			return fmt.Errorf("%w: a payload ends early", ErrCorrupt)
		}
		r, err := wal.DecodeRecord(enc)
		if err == nil {
			err = do(string(name), r)
		}
		if err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// cut is a uvarint length, that many bytes, and the rest.
func cut(b []byte) (text, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, false
	}
	return b[used : used+int(n)], b[used+int(n):], true
}

// remove removes the segments, the newer one first: without the older one it would
// not show that the journals have what that held.
func (l *Log) remove(newer int) error {
	for _, i := range []int{newer, 1 - newer} {
		if err := l.opt.FS.Remove(l.path(i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := fsys.SyncDir(l.opt.FS, l.dir); err != nil {
			return err
		}
	}
	return nil
}
