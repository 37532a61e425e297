package fuzz

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// laggard crashes a file that is behind its journal while another program, which
// syncs nothing, saves it, and recovery rebases that. What was acknowledged must
// stand afterwards, and the edit too once recovery has said so, or be kept.
type laggard struct {
	// clash says that the other program changes A too, as the commits do.
	clash bool
	// drop says which syncs are left out: the fault that must then be found.
	drop func(name string, isDir bool) bool
}

const lagRounds = 2

type lagContent struct{ A, B int }

func (c lagContent) text() string {
	return fmt.Sprintf("{\n  \"A\": %d,\n  \"B\": %d,\n  \"pad\": %q\n}\n", c.A, c.B, strings.Repeat("x", 600))
}

func (l laggard) file(fsy fsys.FS, dir string, boots int) (*recovery.File, error) {
	f := &recovery.File{FS: fsy, Dir: filepath.Join(dir, "f"), Target: filepath.Join(dir, "a.json")}
	log, err := wal.Open(f.Dir, wal.Options{FS: fsys.Anonymous(fsy), Boot: [16]byte{1, byte(boots)}, DirChain: []string{dir}})
	if err != nil {
		return nil, err
	}
	f.Journal, f.Log = log, log
	if err := f.Look(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return f, nil
}

func (l laggard) setup(dir string) error {
	if err := os.Mkdir(filepath.Join(dir, "f"), 0o700); err != nil {
		return err
	}
	text := lagContent{}.text()
	if err := os.WriteFile(filepath.Join(dir, "a.json"), []byte(text), 0o600); err != nil {
		return err
	}
	f, err := l.file(fsys.OS, dir, 0)
	if err != nil {
		return err
	}
	rec, err := f.Adoption(nil)
	if err == nil {
		err = f.AppendAdoption(rec)
	}
	return errors.Join(err, f.Log.Close())
}

func (l laggard) run(rec *crashfs.Recorder, dir string) error {
	var fsy fsys.FS = rec
	if l.drop != nil {
		fsy = crashfs.DropSyncs(rec, l.drop)
	}
	for round := 1; round <= lagRounds; round++ {
		stands, err := l.read(dir)
		if err != nil {
			return err
		}
		if err := l.commit(rec, fsy, dir, 2*round-1, 2*round); err != nil {
			return err
		}
		if stands.B = round; l.clash {
			stands.A = -round
		}
		if err := carelessSave(stands.text(), "a.json")(&world{dir: dir}); err != nil {
			return err
		}
		if err := l.recover(fsy, dir, crashfs.Crash{}); err != nil {
			return err
		}
		rec.Pointf("B %d", round)
	}
	return nil
}

// commit acknowledges values of A at the commit point, and leaves the file behind.
func (l laggard) commit(rec *crashfs.Recorder, fsy fsys.FS, dir string, values ...int) error {
	f, err := l.file(fsy, dir, 0)
	if err != nil {
		return err
	}
	defer f.Log.Close()
	for _, v := range values {
		newest, err := f.Newest()
		if err != nil {
			return err
		}
		data, err := recovery.Render(f.Log.Read, newest.LSN, f.Limits)
		if err != nil {
			return err
		}
		patch := jsonpatch.Patch{{Op: "replace", Path: jsonpatch.Pointer{"A"}, Value: []byte(strconv.Itoa(v))}}
		doc, _, err := jsonpatch.Trusted(data, jsonpatch.JSONC).Apply(patch, f.Limits)
		if err != nil {
			return err
		}
		r := &wal.Record{Kind: wal.KindPatch, Flags: wal.FlagBehind | wal.FlagNoDirSync, Unit: wal.NewID(), Rev: newest.Rev + 1,
			Before: newest.After, After: wal.VersionOf(doc.Bytes()), Txns: []wal.Txn{{Patch: patch.Encode()}}}
		if err := errors.Join(f.Log.Append(r), f.Log.Sync()); err != nil {
			return err
		}
		rec.Pointf("A %d", v)
	}
	return nil
}

func (l laggard) read(dir string) (c lagContent, err error) {
	data, err := os.ReadFile(filepath.Join(dir, "a.json"))
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(data, &c)
}

// recover accepts damage only while nothing of what the other program saved has
// been synced.
func (l laggard) recover(fsy fsys.FS, dir string, c crashfs.Crash) error {
	f, err := l.file(fsy, dir, c.Boots)
	if err != nil {
		return err
	}
	defer f.Log.Close()
	exposed, err := l.exposed(f, c)
	if err != nil {
		return err
	}
	plan, err := recovery.MakePlan([]*recovery.File{f}, nil)
	if err != nil {
		return err
	}
	if err := recovery.Apply(plan)[0].Err; !exposed || !errors.Is(err, recovery.ErrDamaged) {
		return err
	}
	return nil
}

// exposed tells that what the other program saved is not yet ours to keep: recovery
// has not recorded it.
func (l laggard) exposed(f *recovery.File, c crashfs.Crash) (bool, error) {
	if !inSave(c) {
		return false, nil
	}
	newest, err := f.Newest()
	if err != nil {
		return false, err
	}
	return newest.Kind != wal.KindClash && newest.Flags&wal.FlagFound == 0, nil
}

// inSave tells that the save comes after the last that was acknowledged.
func inSave(c crashfs.Crash) bool { return len(c.Points)%3 == 2 }

// recorded looks for the save of a round, as it was found, in the journal.
func (l laggard) recorded(dir string, round int) error {
	edit := lagContent{A: -round, B: round}.text()
	for rec, err := range wal.Scan(fsys.OS, filepath.Join(dir, "f"), 1) {
		if err != nil {
			return err
		}
		if rec.Kind == wal.KindClash && string(rec.Image) == edit {
			return nil
		}
	}
	return fmt.Errorf("the edit of round %d is not recorded", round)
}

func (l laggard) check(dir string, c crashfs.Crash) error {
	now, err := l.read(dir)
	if err != nil {
		if inSave(c) {
			return nil // torn, and left as it is: recover has accepted that
		}
		return err
	}
	n := len(c.Points)
	a, b := n/3*2+n%3, n/3 // acknowledged; one more may be durable
	if now.A != a && !(n%3 < 2 && n < 3*lagRounds && now.A == a+1) {
		return fmt.Errorf("A is %d, %d was acknowledged", now.A, a)
	}
	if !l.clash {
		if now.B != b && !(inSave(c) && now.B == b+1) {
			return fmt.Errorf("B is %d, %d was acknowledged", now.B, b)
		}
		return l.checkHistory(dir)
	}
	for round := 1; round <= b; round++ {
		if err := l.recorded(dir, round); err != nil {
			return err
		}
	}
	return l.checkHistory(dir)
}

// checkHistory derives every version.
func (l laggard) checkHistory(dir string) error {
	journal := filepath.Join(dir, "f")
	read := func(lsn wal.LSN) (*wal.Record, error) { return wal.ReadRecord(fsys.OS, journal, lsn) }
	for rec, err := range wal.Scan(fsys.OS, journal, 1) {
		if err == nil {
			_, err = recovery.Render(read, rec.LSN, jsonpatch.Limits{})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l laggard) config() crashfs.Config {
	return crashfs.Config{Setup: l.setup, Run: l.run, Recover: l.recover, Check: l.check, Models: models(),
		Depth: 1, Nested: 40 * *effort, PerCut: 32 * *effort, States: 400 * *effort}
}

func TestEditsWhileBehindSurviveCrashes(t *testing.T) {
	for name, l := range map[string]laggard{"rebased": {}, "clash": {clash: true}} {
		t.Run(name, func(t *testing.T) { t.Log(crashfs.Explore(t, l.config())) })
	}
}

// TestUnsyncedRebaseIsFound: the test above can fail.
func TestUnsyncedRebaseIsFound(t *testing.T) {
	for name, drop := range map[string]func(string, bool) bool{
		"no sync of what was found": func(name string, isDir bool) bool { return filepath.Base(name) == "a.json" },
		"no sync of directories":    func(name string, isDir bool) bool { return isDir && filepath.Base(name) != "f" },
		"no sync of journals":       func(name string, isDir bool) bool { return strings.Contains(name, "/f/0") },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := laggard{drop: drop}.config()
			cfg.States *= 10
			stats, found, err := crashfs.Search(cfg)
			if err != nil || len(found) == 0 {
				t.Fatal(stats, err)
			}
		})
	}
}
