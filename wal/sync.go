package wal

import (
	"errors"
	"fmt"
	"os"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Sync makes every record durable that was appended, and the names that lead to it.
// An error sticks, and nothing above the durable mark may be believed then: Reopen.
func (l *Log) Sync() error {
	if err := l.usable(); err != nil {
		return err
	}
	if l.state.Last == l.state.Durable {
		return nil
	}
	if l.suspect {
		return l.Secure()
	}
	return l.synced(l.syncTail())
}

// SyncIn lists what Sync does among others that are made at once. Label gets its
// error. No other method may be called before they are made.
func (l *Log) SyncIn(s *fsys.Syncs, label func(error) error) {
	switch {
	case l.usable() != nil || l.suspect || l.tail == nil || l.state.Durable == 0:
		s.Call(l.Sync, label) // is more than one step
	case l.state.Last > l.state.Durable:
		s.Add(l.tail, true, func(err error) error { return label(l.synced(err)) })
	}
}

// synced notes how the sync of all records has ended.
func (l *Log) synced(err error) error {
	if err != nil {
		return l.fail(fmt.Errorf("sync: %w", err))
	}
	l.state.Durable = l.state.Last
	return nil
}

// SyncAgain asks once more, of a disk that has said yes to Sync and has failed
// since, whether it still answers. Where a journal of its own is aborted in the
// midst of a sync, ext4 returns success for blocks that it then drops; asked again,
// it fails.
func (l *Log) SyncAgain() error {
	if err := l.usable(); err != nil {
		return err
	}
	if err := l.syncTail(); err != nil {
		return l.fail(fmt.Errorf("sync: %w", err))
	}
	return nil
}

func (l *Log) syncTail() error {
	if l.tail == nil { // records of durability "none", appended by another process
		f, err := l.fs.OpenFile(l.tailPath(), os.O_RDWR|careful, 0)
		if err != nil {
			return err
		}
		l.tail = f
	}
	if err := l.tail.Datasync(); err != nil {
		return err
	}
	return l.syncNames()
}

// syncNames makes the way to the journal durable, once: with its first record.
func (l *Log) syncNames() error {
	if l.state.Durable > 0 {
		return nil
	}
	synced := ""
	for _, dir := range append([]string{l.groupDir(), l.journal(), l.dir}, l.opt.DirChain...) {
		if dir == synced {
			continue // the journal's directory is mostly the file's own
		}
		if err := fsys.SyncDir(l.fs, dir); err != nil {
			return err
		}
		synced = dir
	}
	return nil
}

// Secure is for who finds records above the durable mark that another process may
// have failed to sync: the page cache can show what the disk never got, and would
// not be written again. So they are copied into a new file, which is synced under
// another name and then takes its place as a segment, with its directory synced;
// what the older segment holds from there on counts no more. Append and Sync do
// this by themselves where Open has found such records.
func (l *Log) Secure() error {
	if err := l.usable(); err != nil {
		return err
	}
	if l.state.Last == l.state.Durable {
		return nil
	}
	if err := l.copyTail(); err != nil {
		return l.fail(fmt.Errorf("copying the tail: %w", err))
	}
	l.suspect = false
	return l.writeState()
}

// copyTail relies on the durable mark never being below the tail segment's start:
// a segment is only begun when the one before is durable.
func (l *Log) copyTail() error {
	first := l.state.Durable + 1
	data, err := l.tailBytes(first)
	if err != nil {
		return err
	}
	path := segmentPath(l.journal(), l.state.Group, first)
	if err := l.writeSynced(path+copySuffix, data); err != nil {
		return err
	}
	l.releaseTail() // Windows doesn't rename over what tidwall/wal has open
	if err := l.fs.Rename(path+copySuffix, path); err != nil {
		return err
	}
	if err := fsys.SyncDir(l.fs, l.groupDir()); err != nil {
		return err
	}
	if err := l.syncNames(); err != nil {
		return err
	}
	l.state.Segment, l.state.Offset = first, int64(len(data))
	l.state.Durable = l.state.Last
	return nil
}

// tailBytes are the entries from first to the last, checked.
func (l *Log) tailBytes(first LSN) ([]byte, error) {
	seg := segment{first: l.state.Segment, group: l.state.Group, path: l.tailPath()}
	c, err := readSegment(l.fs, seg, start{next: seg.first}, 0)
	if err != nil {
		return nil, err
	}
	if first < seg.first || c.next != l.state.Last+1 || c.prev != l.state.CRC {
		return nil, c.corrupt(fmt.Sprintf("records %d to %d were there before", first, l.state.Last))
	}
	return c.data[c.entries[first-seg.first].off:c.end], nil
}

func (l *Log) writeSynced(path string, data []byte) error {
	f, err := l.create(path, os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Reopen goes on after an error that stuck. It drops what was held in memory but
// for the durable mark, reads the tail again, and copies what is above the mark
// (see Secure). Then State says which records there are: one that failed may be
// among them, whole, and can be aborted by another. An error leaves l as failed as
// it was.
func (l *Log) Reopen() error {
	if l.closed {
		return l.usable()
	}
	failed := l.failed
	l.failed = nil
	l.release()
	if err := l.load(false); err != nil {
		l.failed = errors.Join(failed, err)
		return fmt.Errorf("%s: reopening: %w", l.dir, err)
	}
	if l.suspect {
		return l.Secure()
	}
	return nil
}
