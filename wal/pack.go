package wal

import (
	"fmt"
	"path/filepath"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Old segments are compressed: a commit, or the adoption of an edit, that has begun a segment
// compresses the oldest four that are full and not compressed yet, if there are as many, but
// for the last two. It does so when the files are in place and state is settled: what fails is
// a warning. wal.Log.Pack has the order of its steps. Where nothing was begun nothing is looked
// at.

// packSegments is how many full segments are compressed into one: reading one
// record costs unpacking that many, and packing costs two syncs.
const packSegments = 4

// Pack compresses the oldest segments that are not compressed yet, as many as four
// full ones hold; where there are fewer it does nothing. So called whenever a
// segment was begun, it costs in proportion to what was written, and keeps up. The
// last two segments stay as they are: the last one is appended to, and the one before
// it becomes the last where that turns out to hold nothing durable.
//
// The compressed segment is complete and durable, its name too, before the first of
// those that it replaces is removed; until all of them are, they don't count. The
// caller holds the file's lock. An error leaves the journal as good as it was.
func (l *Log) Pack() error {
	if err := l.usable(); err != nil {
		return err
	}
	list, err := listJournal(l.fs, l.journal(), l.state.Gen)
	if err != nil {
		return err
	}
	if err := l.removeLeftovers(&list); err != nil {
		return err
	}
	run, err := l.packable(&list)
	if err != nil || len(run) == 0 {
		return err
	}
	data, last, err := l.entriesOf(&list, run)
	if err != nil {
		return err
	}
	if err := l.writePacked(run[0], last, data); err != nil {
		return fmt.Errorf("%s: compressing a segment: %w", run[0].path, err)
	}
	for _, seg := range run {
		if err := l.fs.Remove(seg.path); err != nil {
			return err
		}
	}
	return nil
}

// packable is the oldest run of segments that are not compressed, if that is long
// enough.
func (l *Log) packable(list *listing) ([]segment, error) {
	full := list.segments[:max(len(list.segments)-2, 0)]
	for len(full) > 0 && full[0].last > 0 {
		full = full[1:]
	}
	var size int64
	for i, seg := range full {
		info, err := l.fs.Lstat(seg.path)
		if err != nil {
			return nil, err
		}
		if size += info.Size(); size >= packSegments*int64(l.opt.SegmentSize) {
			return full[:i+1], nil
		}
	}
	return nil, nil
}

// entriesOf reads a run of segments, checks them, and puts their entries together.
func (l *Log) entriesOf(list *listing, run []segment) (data []byte, last LSN, err error) {
	first := list.holding(run[0].first)
	from := list.startOf(first)
	for i, seg := range run {
		c, err := readSegment(l.fs, seg, from, list.limit(first+i))
		if err == nil {
			err = c.damage(l.state.Durable)
		}
		if err != nil {
			return nil, 0, err
		}
		data = append(data, c.data[:c.end]...)
		from = c.after()
	}
	return data, from.next - 1, nil
}

// writePacked makes a compressed segment in the place of those from first on.
func (l *Log) writePacked(first segment, last LSN, data []byte) error {
	packed, err := pack(data)
	if err != nil {
		return err
	}
	path := packedPath(l.journal(), first.group, first.first, last)
	if err := l.writeSynced(path+tempSuffix, packed); err != nil {
		return err
	}
	fsys.Step("pack.written")
	if err := l.fs.Rename(path+tempSuffix, path); err != nil {
		return err
	}
	if err := fsys.SyncDir(l.fs, groupDir(l.journal(), first.group)); err != nil {
		return err
	}
	fsys.Step("pack.named")
	return nil
}

// removeLeftovers removes what processes left that died here. A compressed segment
// whose name may not be durable yet is made so before what it replaces goes.
func (l *Log) removeLeftovers(list *listing) error {
	for _, path := range list.temps {
		if err := l.fs.Remove(path); err != nil {
			return err
		}
	}
	synced := ""
	for _, r := range list.replaced {
		if r.by != synced {
			if err := fsys.SyncDir(l.fs, filepath.Dir(r.by)); err != nil {
				return err
			}
			synced = r.by
		}
		if err := l.fs.Remove(r.path); err != nil {
			return err
		}
	}
	return nil
}
