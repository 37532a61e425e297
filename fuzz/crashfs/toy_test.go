package crashfs_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/tidwall/wal"
)

// mustFind runs a protocol that is wrong, and fails unless the fault is found.
func mustFind(t *testing.T, cfg crashfs.Config) {
	t.Helper()
	stats, found, err := crashfs.Search(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("the fault was not found: %v", stats)
	}
	t.Logf("%v\n%s", stats, found[0].Report(t.Name()))
}

// replacement is the protocol that replaces a file, with its steps optional.
type replacement struct {
	noTempSync, noDirSync, renameFirst bool
}

const versions = 4

func version(n int) string { return fmt.Sprintf("version %d %s\n", n, strings.Repeat("x", 700*n)) }

func (p replacement) setup(dir string) error {
	return os.WriteFile(filepath.Join(dir, "f"), []byte(version(0)), 0o640)
}

func (p replacement) run(rec *crashfs.Recorder, dir string) error {
	for n := 1; n < versions; n++ {
		if err := p.replace(rec, dir, []byte(version(n))); err != nil {
			return err
		}
		rec.Pointf("%d", n)
	}
	return nil
}

func (p replacement) replace(fsy fsys.FS, dir string, data []byte) error {
	temp, target := filepath.Join(dir, "f.tmp"), filepath.Join(dir, "f")
	f, err := fsy.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	rename := func() error { return fsy.Rename(temp, target) }
	write := func() error { _, err := f.Write(data); return err }
	steps := []func() error{write, f.Sync, rename}
	if p.noTempSync {
		steps = []func() error{write, rename}
	}
	if p.renameFirst {
		steps = []func() error{write, rename, f.Sync}
	}
	if !p.noDirSync {
		steps = append(steps, func() error { return fsys.SyncDir(fsy, dir) })
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (p replacement) check(dir string, c crashfs.Crash) error {
	data, err := os.ReadFile(filepath.Join(dir, "f"))
	if err != nil {
		return err
	}
	for n := versions - 1; n >= len(c.Points); n-- {
		if string(data) == version(n) {
			return nil
		}
	}
	return fmt.Errorf("%d bytes %.20q are no version from %d on", len(data), data, len(c.Points))
}

func (p replacement) config() crashfs.Config {
	return crashfs.Config{Setup: p.setup, Run: p.run, Check: p.check}
}

func TestReplacement(t *testing.T) {
	stats := crashfs.Explore(t, replacement{}.config())
	if stats.Points != versions-1 || stats.Distinct < stats.Events {
		t.Errorf("too little was tried: %v", stats)
	}
}

func TestReplacementFaultsAreFound(t *testing.T) {
	models := []crashfs.Model{crashfs.Ext4, crashfs.XFS, crashfs.POSIX}
	for name, p := range map[string]replacement{
		"no temp sync":     {noTempSync: true},
		"no dir sync":      {noDirSync: true},
		"rename then sync": {renameFirst: true},
	} {
		for _, m := range models {
			t.Run(name+"/"+m.Name, func(t *testing.T) {
				cfg := p.config()
				cfg.Models = []crashfs.Model{m}
				mustFind(t, cfg)
			})
		}
	}
}

// TestKillLosesNothing: what is wrong for a power cut is right for process death.
func TestKillLosesNothing(t *testing.T) {
	cfg := replacement{noTempSync: true, noDirSync: true}.config()
	cfg.Models = []crashfs.Model{crashfs.Kill}
	crashfs.Explore(t, cfg)
}

// appendLog is a log of checksummed records; its recovery cuts the torn tail.
type appendLog struct{ ackFirst bool }

const logRecords = 5

func frame(n int) []byte {
	body := []byte(fmt.Sprintf("record %d %s", n, strings.Repeat("r", 300)))
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
	head = binary.LittleEndian.AppendUint32(head, crc32.ChecksumIEEE(body))
	return append(head, body...)
}

func (l appendLog) run(rec *crashfs.Recorder, dir string) error {
	f, err := rec.OpenFile(filepath.Join(dir, "log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := fsys.SyncDir(rec, dir); err != nil {
		return err
	}
	for n := range logRecords {
		if _, err := f.Write(frame(n)); err != nil {
			return err
		}
		if l.ackFirst {
			rec.Pointf("%d", n)
		}
		if err := f.Datasync(); err != nil {
			return err
		}
		if !l.ackFirst {
			rec.Pointf("%d", n)
		}
	}
	return nil
}

// scan is how many records are whole, and where the last of them ends.
func scan(data []byte) (n int, end int64) {
	for {
		want := frame(n)
		if !bytes.HasPrefix(data[end:], want) {
			return n, end
		}
		end += int64(len(want))
		n++
	}
}

func (l appendLog) recover(fsy fsys.FS, dir string, _ crashfs.Crash) error {
	f, err := fsy.OpenFile(filepath.Join(dir, "log"), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := fsys.ReadAll(f)
	if err != nil {
		return err
	}
	if _, end := scan(data); end < int64(len(data)) {
		return errors.Join(f.Truncate(end), f.Sync())
	}
	return nil
}

func (l appendLog) check(dir string, c crashfs.Crash) error {
	data, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil && (len(c.Points) > 0 || !errors.Is(err, fs.ErrNotExist)) {
		return err
	}
	n, end := scan(data)
	if n < len(c.Points) || int(end) != len(data) {
		return fmt.Errorf("%d records and %d bytes behind them, %d acknowledged", n, len(data)-int(end), len(c.Points))
	}
	return nil
}

func (l appendLog) config() crashfs.Config {
	return crashfs.Config{Run: l.run, Recover: l.recover, Check: l.check, Depth: 2, Nested: 40}
}

func TestAppendLog(t *testing.T) {
	stats := crashfs.Explore(t, appendLog{}.config())
	if stats.Nested == 0 {
		t.Error("recovery was never cut")
	}
}

func TestAckBeforeSyncIsFound(t *testing.T) {
	mustFind(t, appendLog{ackFirst: true}.config())
}

// TestRecoveryThatRotsIsFound: a recovery that is only right when it is not cut.
func TestRecoveryThatRotsIsFound(t *testing.T) {
	cfg := replacement{}.config()
	cfg.Depth = 1
	cfg.Recover = func(fsy fsys.FS, dir string, _ crashfs.Crash) error {
		name := filepath.Join(dir, "f")
		data, err := fsys.ReadFile(fsy, name)
		if err != nil {
			return err
		}
		f, err := fsy.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return errors.Join(err, f.Sync(), f.Close())
	}
	mustFind(t, cfg)
}

// library is a log that writes past the recorder.
type library struct{ sync bool }

func (l library) run(rec *crashfs.Recorder, dir string) error {
	path := filepath.Join(dir, "wal")
	log, err := wal.Open(path, &wal.Options{NoSync: true, SegmentSize: 700, DirPerms: 0o700, FilePerms: 0o600})
	if err != nil {
		return err
	}
	defer log.Close()
	if err := fsys.SyncDir(rec, dir); err != nil {
		return err
	}
	for n := range logRecords {
		if err := log.Write(uint64(n+1), frame(n)); err != nil {
			return err
		}
		if l.sync {
			if err := syncAll(rec, path); err != nil {
				return err
			}
		}
		rec.Pointf("%d", n)
	}
	return nil
}

// syncAll makes the directory and the files in it durable.
func syncAll(fsy fsys.FS, dir string) error {
	list, err := fsy.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, de := range list {
		f, err := fsy.OpenFile(filepath.Join(dir, de.Name()), os.O_RDONLY, 0)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Datasync(), f.Close()); err != nil {
			return err
		}
	}
	return fsys.SyncDir(fsy, dir)
}

// check reads the segments without the library, which refuses a torn tail.
func (l library) check(dir string, c crashfs.Crash) error {
	names, err := filepath.Glob(filepath.Join(dir, "wal", "*"))
	if err != nil {
		return err
	}
	var all []byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		all = append(all, data...)
	}
	r := bytes.NewReader(all)
	for n := range len(c.Points) {
		size, err := binary.ReadUvarint(r)
		if err != nil {
			return fmt.Errorf("record %d of %d: %w", n, len(c.Points), err)
		}
		got := make([]byte, min(size, 1<<16))
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, frame(n)) {
			return fmt.Errorf("record %d of %d is damaged (%v)", n, len(c.Points), err)
		}
	}
	return nil
}

func (l library) config() crashfs.Config {
	return crashfs.Config{Run: l.run, Check: l.check}
}

func TestLibraryLogWithSync(t *testing.T) {
	stats := crashfs.Explore(t, library{sync: true}.config())
	if stats.Events < 4*logRecords {
		t.Errorf("the library's writes were not seen: %v", stats)
	}
}

func TestLibraryLogWithoutSyncIsFound(t *testing.T) {
	for _, m := range []crashfs.Model{crashfs.Ext4, crashfs.XFS, crashfs.POSIX} {
		cfg := library{}.config()
		cfg.Models = []crashfs.Model{m}
		mustFind(t, cfg)
	}
}
