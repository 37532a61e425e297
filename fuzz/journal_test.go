package fuzz

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// journal crashes package wal alone: a writer appends records, some in one
// sync, settles the state as a commit does, and closes and opens again.
// Acknowledged records must be there afterwards, whole and in order; the journal
// must accept further ones.
type journal struct {
	// drop says which syncs are left out: the fault that must then be found.
	drop func(name string, isDir bool) bool
	// compact says that the journal is compacted between, pack that its old
	// segments are compressed.
	compact, pack bool
	// links says that a compaction takes over segments.
	links bool
}

const journalRecords = 15

func (j journal) options(fsy fsys.FS, dir string, boots int) wal.Options {
	size := 3000
	if j.pack || j.links {
		size = 300 // so that there is enough to compress, or to take over
	}
	return wal.Options{FS: fsys.Anonymous(fsy), SegmentSize: size, Boot: [16]byte{1, byte(boots)}, DirChain: []string{dir}}
}

func journalRecord(n int) *wal.Record {
	image := []byte(strings.Repeat(fmt.Sprint(n), 20+n*5))
	return &wal.Record{Kind: wal.KindImage, Rev: uint64(n), Unit: wal.ID{byte(n)}, Image: image,
		Txns:  []wal.Txn{{ID: wal.ID{byte(n)}, Actor: "a", Patch: []byte(`[]`)}},
		After: wal.Version{Exists: true, Size: int64(len(image)), Hash: wal.Sum(image)}}
}

func (j journal) setup(dir string) error { return os.Mkdir(filepath.Join(dir, "f"), 0o700) }

func (j journal) run(rec *crashfs.Recorder, dir string) error {
	var fsy fsys.FS = rec
	if j.drop != nil {
		fsy = crashfs.DropSyncs(rec, j.drop)
	}
	for n := 1; n < journalRecords; {
		log, err := wal.Open(filepath.Join(dir, "f"), j.options(fsy, dir, 0))
		if err != nil {
			return err
		}
		for range 7 {
			batch := []*wal.Record{journalRecord(n)}
			if n%3 == 0 {
				batch = append(batch, journalRecord(n+1))
			}
			n += len(batch)
			if err := j.commit(rec, log, batch); err != nil {
				return errors.Join(err, log.Close())
			}
			if j.pack {
				if err := log.Pack(); err != nil {
					return errors.Join(err, log.Close())
				}
			}
		}
		if j.compact {
			from := log.State().Image
			if j.links {
				from -= 6
			}
			if err := log.DropBefore(from, nil, nil); err != nil {
				return errors.Join(err, log.Close())
			}
		}
		if err := errors.Join(log.CutRoom(), log.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (j journal) commit(rec *crashfs.Recorder, log *wal.Log, batch []*wal.Record) error {
	if err := errors.Join(log.Append(batch...), log.Sync()); err != nil {
		return err
	}
	last := batch[len(batch)-1]
	for _, r := range batch {
		rec.Pointf("%d", r.LSN)
	}
	return log.Settle(last.LSN, wal.FileID{Ino: uint64(last.LSN)}, last.After, false)
}

func (j journal) recover(fsy fsys.FS, dir string, c crashfs.Crash) error {
	log, err := wal.Open(filepath.Join(dir, "f"), j.options(fsy, dir, c.Boots))
	if err != nil {
		return err
	}
	if j.pack {
		err = log.Pack()
	}
	return errors.Join(err, log.Close())
}

func (j journal) check(dir string, c crashfs.Crash) error {
	file := filepath.Join(dir, "f")
	log, err := wal.Open(file, j.options(fsys.OS, dir, c.Boots))
	if err != nil {
		return err
	}
	next := log.State().Last + 1
	err = errors.Join(log.Append(journalRecord(int(next))), log.Sync(), log.Close())
	if err != nil {
		return fmt.Errorf("go on after the crash: %w", err)
	}
	if int(next) <= len(c.Points) {
		return fmt.Errorf("the next record is %d, but %d were acknowledged", next, len(c.Points))
	}
	want := wal.LSN(1)
	for r, err := range wal.Scan(fsys.OS, file, 1) {
		if err != nil {
			return err
		}
		if j.compact && want == 1 {
			if want = r.LSN; r.Kind == wal.KindBegin { // in the place of the last that was dropped
				want++
				continue
			}
		}
		if r.LSN != want || string(r.Image) != string(journalRecord(int(want)).Image) {
			return fmt.Errorf("record %d is not what was written as %d", r.LSN, want)
		}
		want++
	}
	if want != next+1 {
		return fmt.Errorf("%d records, expected %d", want-1, next)
	}
	return nil
}

func (j journal) config() crashfs.Config {
	return crashfs.Config{Setup: j.setup, Run: j.run, Recover: j.recover, Check: j.check, Depth: 2, Nested: 30, States: 6000}
}

func TestJournalSurvivesCrashes(t *testing.T) {
	explore(t, kindLog, journal{}.config())
}

func TestCompactionSurvivesCrashes(t *testing.T) {
	explore(t, kindCompaction, journal{compact: true}.config())
}

func TestCompactionWithoutSyncsIsFound(t *testing.T) {
	drop := func(name string, isDir bool) bool { return isDir || strings.HasSuffix(name, ".tmp") }
	mustFind(t, kindCompaction, "no directory sync, no sync of what is renamed", journal{compact: true, drop: drop}.config())
}

func TestCompactionByLinksSurvivesCrashes(t *testing.T) {
	explore(t, kindCompaction, journal{compact: true, links: true}.config())
}

func TestCompactionByLinksWithoutSyncsIsFound(t *testing.T) {
	building := func(name string) bool { return strings.HasSuffix(name, ".tmp") }
	for name, drop := range map[string]func(string, bool) bool{
		"the names of a generation's segments are not synced": func(name string, isDir bool) bool { return isDir && building(name) },
		"what a generation's first and last segment have is not synced": func(name string, isDir bool) bool {
			return !isDir && building(filepath.Dir(name))
		},
	} {
		t.Run(name, func(t *testing.T) {
			mustFind(t, kindCompaction, name, journal{compact: true, links: true, drop: drop}.config())
		})
	}
}

func TestPackingSurvivesCrashes(t *testing.T) {
	explore(t, kindPacking, journal{pack: true}.config())
}

func TestPackingWithoutSyncsIsFound(t *testing.T) {
	compressed := func(name string) bool { return strings.HasSuffix(name, ".zst.TEMP") }
	behind := false // the sync before was that of a compressed segment
	for name, drop := range map[string]func(string, bool) bool{
		"no sync of the compressed segment": func(name string, _ bool) bool { return compressed(name) },
		"no sync of the compressed segment's name": func(name string, isDir bool) bool {
			drop := behind && isDir
			behind = compressed(name)
			return drop
		},
	} {
		t.Run(name, func(t *testing.T) {
			mustFind(t, kindPacking, name, journal{pack: true, drop: drop}.config())
		})
	}
}

func TestJournalWithoutSyncsIsFound(t *testing.T) {
	for name, drop := range map[string]func(string, bool) bool{
		"no file sync":      func(_ string, isDir bool) bool { return !isDir },
		"no directory sync": func(_ string, isDir bool) bool { return isDir },
	} {
		t.Run(name, func(t *testing.T) {
			mustFind(t, kindLog, name, journal{drop: drop}.config())
		})
	}
}
