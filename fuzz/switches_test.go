package fuzz

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal/fsys"
)

// switching is an operation that puts one journal in the place of another, or makes two
// versions at once, on its own: what is done before is durable, and what is checked
// behind is this operation's alone.
type switching struct {
	prepare func(w *world) error // behind the commits of switchWorkload
	op      func(w *world) error // succeeds also where it was done before
	args    []string             // the same, of the binary
	// check looks at what was settled, before the operation is done again where it was
	// cut off, and then behind it.
	check func(dir string, before *switchedFrom, done bool) error
}

// switchedFrom is the file before the operation.
type switchedFrom struct {
	text    string
	journal []byte // its segment
	rev     uint64
}

const switched, outsider = "one/a.json", "{\n  \"v\": 77,\n  \"w\": [1, 2]\n}\n"

// switchWorkload is a file of some versions, each of them a large one, so that what is
// written over them can tear.
func switchWorkload() *workload {
	w := &workload{files: []string{switched}, seed: map[string]string{switched: small}}
	for v := range 3 {
		w.ready = append(w.ready, put(big(v), switched), set(v+10, switched))
	}
	return w
}

func switches() map[string]*switching {
	return map[string]*switching{
		"a generation": {
			prepare: func(*world) error { return nil },
			op: func(w *world) error {
				_, err := admin.Compact(context.Background(), w.store, []string{switched}, admin.Retention{Revs: 2})
				return err
			},
			args:  []string{"compact", "--keep-revs", "2", switched},
			check: sameText,
		},
		"a generation of links": {
			prepare: growOld,
			op: func(w *world) error {
				_, err := admin.Compact(context.Background(), w.store, []string{switched}, admin.Retention{Revs: longHistory - 1})
				return err
			},
			args:  []string{"compact", "--keep-revs", fmt.Sprint(longHistory - 1), switched},
			check: sameText,
		},
		"a set-aside": {
			prepare: rot,
			op: func(w *world) error {
				_, err := admin.SetAside(context.Background(), w.store, switched)
				if errors.Is(err, txn.ErrInvalid) { // it was done; whoever comes next records what the file holds
					return sweep(w.store, w.dir)
				}
				return err
			},
			args:  []string{"recover", "--set-aside", switched},
			check: keptDamage,
		},
		"a clash": {
			prepare: lagAndEdit,
			op:      func(w *world) error { return sweep(w.store, w.dir) },
			args:    []string{"recover"},
			check:   bothVersions,
		},
		"no document": {
			prepare: func(w *world) error { return firstError(save(broken, switched)(w), longAgo(w.dir)) },
			op: func(w *world) error {
				res, err := history.Restore(context.Background(), w.store, []string{switched}, history.Point{})
				if len(res.Warnings) > 0 {
					err = fmt.Errorf("warnings: %q", res.Warnings) // committed, and the file lags behind
				}
				return err
			},
			args:  []string{"restore", switched},
			check: keptBytes,
		},
	}
}

// broken is what another program has left of a file.
const broken = "{\n  \"v\": 78,\n  \"w\": [1,"

// longHistory is how many versions growOld makes, each of more than half a segment.
const longHistory = 8

// growOld makes some segments.
func growOld(w *world) error {
	for v := range longHistory {
		text := fmt.Sprintf("{\n  \"v\": %d,\n  \"pad\": %q\n}\n", v, strings.Repeat(fmt.Sprint(v), 40_000))
		if err := put(text, switched)(w); err != nil {
			return err
		}
	}
	return nil
}

// rot damages an old record, behind which there are durable ones.
func rot(w *world) error {
	name := filepath.Join(journalOf(w.dir, switched), firstSegment)
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	data[len(data)/3] ^= 0x55
	return os.WriteFile(name, data, 0o600)
}

// lagAndEdit commits what then can't be put in place, and changes the same member of the
// file as it stands.
func lagAndEdit(w *world) error {
	bad := fsys.NewFailing(w.fsy, fsys.Fault{Err: syscall.EIO, Forever: true, Ops: []string{"rename", "exchange"}})
	lame, err := (&workload{}).open(bad, w.dir, 0)
	if err != nil {
		return err
	}
	if err := set(20, switched)(lame); !lagging(err) {
		return fmt.Errorf("the file does not lag: %w", err)
	}
	if err := lame.store.Close(); err != nil {
		return err
	}
	return save(outsider, switched)(w)
}

func (s *switching) setup(dir string, w *workload) (before switchedFrom, err error) {
	if err := w.setup(dir); err != nil {
		return before, err
	}
	world, err := w.open(fsys.OS, dir, 0)
	if err != nil {
		return before, err
	}
	before.rev = 7 // what was there, and the six of the workload
	if err := firstError(s.prepare(world), world.store.Close()); err != nil {
		return before, err
	}
	text, err := os.ReadFile(filepath.Join(dir, switched))
	if err != nil {
		return before, err
	}
	before.text = string(text)
	before.journal, err = os.ReadFile(filepath.Join(journalOf(dir, switched), firstSegment))
	return before, err
}

// judge is what must hold however far the operation came: what there is now, what it is
// when it was done to the end, and that one goes on from there.
func (s *switching) judge(w *world, before *switchedFrom, done bool) error {
	if err := s.check(w.dir, before, done); err != nil {
		return fmt.Errorf("cut off: %w", err)
	}
	if err := s.op(w); err != nil {
		return fmt.Errorf("done again: %w", err)
	}
	if err := s.check(w.dir, before, true); err != nil {
		return fmt.Errorf("done again: %w", err)
	}
	if err := verify(w.store, w.dir); err != nil {
		return err
	}
	res, err := w.store.Do(context.Background(), []string{switched}, func(tx *txn.Tx) error { return tx.Set(switched, "/v", "on") })
	if err != nil {
		return err
	}
	if rev := res.Files[0].Rev; rev <= before.rev {
		return fmt.Errorf("goes on with revision %d, there was %d", rev, before.rev)
	}
	return verify(w.store, w.dir)
}

// sameText: the file is what it was, and so is its history as far as it is kept.
func sameText(dir string, before *switchedFrom, _ bool) error {
	text, err := os.ReadFile(filepath.Join(dir, switched))
	if err == nil && string(text) != before.text {
		err = fmt.Errorf("the file is %.60q", text)
	}
	if err != nil {
		return err
	}
	ok, err := recorded(dir, switched, before.text)
	if err == nil && !ok {
		err = errors.New("its newest version is not in its history")
	}
	return err
}

// keptDamage: the file is what it was, and every byte of the damaged journal is there,
// in its place or set aside; where it was set aside, the file is a version again.
func keptDamage(dir string, before *switchedFrom, done bool) error {
	if done {
		if err := sameText(dir, before, done); err != nil {
			return err
		}
	}
	kept := false
	err := filepath.WalkDir(journalOf(dir, switched), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Name() == firstSegment && !kept {
			var data []byte
			data, err = os.ReadFile(path)
			kept = bytes.Equal(data, before.journal)
		}
		return err
	})
	if err == nil && !kept {
		err = errors.New("the damaged journal is gone")
	}
	return err
}

// bothVersions: what was committed stands, and the edit is a version before it.
func bothVersions(dir string, before *switchedFrom, done bool) error {
	text, err := os.ReadFile(filepath.Join(dir, switched))
	if err != nil {
		return err
	}
	if !done && string(text) == before.text {
		return nil
	}
	if v := memberOf(string(text), "v"); v != 20.0 {
		return fmt.Errorf("v is %v", v)
	}
	for _, version := range []string{before.text, string(text)} {
		ok, err := recorded(dir, switched, version)
		if err == nil && !ok {
			err = fmt.Errorf("%.60q is not in the history", version)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// longAgo says that the file was not saved just now: no save goes on that is waited for.
func longAgo(dir string) error {
	return os.Chtimes(filepath.Join(dir, switched), time.Time{}, time.Unix(1e9, 0))
}

// keptBytes: what was no document stands still, or is kept beside its journal, and the
// last good version stands.
func keptBytes(dir string, before *switchedFrom, done bool) error {
	if err := longAgo(dir); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, switched))
	if err != nil {
		return err
	}
	if !done && string(text) == before.text {
		return nil
	}
	if ok, err := recorded(dir, switched, string(text)); err != nil || !ok {
		return fmt.Errorf("the file is %.60q: %w", text, err)
	}
	kept, err := filepath.Glob(filepath.Join(journalOf(dir, switched), "damaged", "*"))
	if err != nil {
		return err
	}
	for _, name := range kept {
		if data, err := os.ReadFile(name); err == nil && string(data) == before.text {
			return nil
		}
	}
	return fmt.Errorf("what was no document is gone: %q", kept)
}

// config cuts the operation at every event. drop says which syncs are left out.
func (s *switching) config(drop func(name string, isDir bool) bool) crashfs.Config {
	w := switchWorkload()
	var before switchedFrom
	return crashfs.Config{
		Setup: func(dir string) (err error) {
			before, err = s.setup(dir, w)
			return err
		},
		Run: func(rec *crashfs.Recorder, dir string) error {
			var fsy fsys.FS = rec
			if drop != nil {
				fsy = crashfs.DropSyncs(rec, drop)
			}
			world, err := w.open(fsy, dir, 0)
			if err != nil {
				return err
			}
			err = firstError(s.op(world), world.store.Close())
			rec.Pointf("done")
			return err
		},
		Recover: func(fsy fsys.FS, dir string, c crashfs.Crash) error {
			if err := s.check(dir, &before, len(c.Points) > 0); err != nil {
				return err
			}
			world, err := w.open(fsy, dir, c.Boots)
			if err != nil {
				return err
			}
			return s.op(world)
		},
		Check: func(dir string, c crashfs.Crash) error {
			world, err := w.open(fsys.OS, dir, c.Boots)
			if err != nil {
				return err
			}
			return s.judge(world, &before, true)
		},
		Models: models(), Depth: 1, Nested: 12 * *effort, PerCut: 64 * *effort, States: 400 * *effort,
	}
}

// TestSwitchesSurviveCrashes cuts each at every event, by a kill and by a power cut, and
// what then does it again in turn.
func TestSwitchesSurviveCrashes(t *testing.T) {
	for name, s := range switches() {
		t.Run(name, func(t *testing.T) { explore(t, kindSwitch, s.config(nil)) })
	}
}

// TestSwitchesWithoutSyncsAreFound looks at every disk state that there can be where few of
// them show the fault, so that no draw decides what it finds.
func TestSwitchesWithoutSyncsAreFound(t *testing.T) {
	all := switches()
	for fault, c := range map[string]struct {
		s    *switching
		drop func(name string, isDir bool) bool
		all  bool
	}{
		"the links of a generation are not synced":    {all["a generation of links"], func(name string, isDir bool) bool { return isDir && strings.HasSuffix(name, ".tmp") }, false},
		"what a generation has is not synced":         {all["a generation"], func(name string, isDir bool) bool { return !isDir && strings.Contains(name, ".tmp/") }, false},
		"the way to what is set aside is not synced":  {all["a set-aside"], func(name string, isDir bool) bool { return isDir && filepath.Base(name) == "damaged" }, true},
		"the record of a clash is not synced":         {all["a clash"], func(name string, isDir bool) bool { return !isDir && filepath.Base(name) == firstSegment }, false},
		"the name of what is set aside is not synced": {all["no document"], func(name string, isDir bool) bool { return isDir && filepath.Base(name) == "damaged" }, false},
		"the name of a generation is not synced":      {all["a generation"], func(name string, isDir bool) bool { return isDir && strings.HasSuffix(name, ".json") }, true},
	} {
		t.Run(fault, func(t *testing.T) {
			cfg := c.s.config(c.drop)
			if c.all {
				cfg.PerCut, cfg.States, cfg.Depth = 4000, 60000, 0
			}
			mustFind(t, kindSwitch, fault, cfg)
		})
	}
}

// TestSwitchesMeetFaults fails the first call of each, then the second, and so on.
func TestSwitchesMeetFaults(t *testing.T) {
	for name, s := range switches() {
		for kind, fault := range faults {
			t.Run(name+"/"+kind, func(t *testing.T) {
				row := evidence.Start(t, "the k-th call fails, until success; a switch", "runs")
				for call, hit := 0, true; hit; call++ {
					fault.Call = call
					w, dir := switchWorkload(), scratch(t)
					before, err := s.setup(dir, w)
					if err != nil {
						t.Fatal(err)
					}
					bad := fsys.NewFailing(fsys.OS, fault)
					lame, err := w.open(bad, dir, 0)
					if err != nil {
						t.Fatal(err)
					}
					answer := s.op(lame)
					_ = lame.store.Close()
					hit = bad.Failed() > 0
					sound, err := w.open(fsys.OS, dir, 0)
					if err == nil {
						err = s.judge(sound, &before, answer == nil)
					}
					if err != nil {
						t.Fatalf("call %d: %v\nthe answer was: %v\n%v", call, err, answer, bad.Trace())
					}
					row.Tried++
				}
			})
		}
	}
}

// TestSwitchesAreKilled kills the binary behind each of its named steps.
func TestSwitchesAreKilled(t *testing.T) {
	b := buildWithSteps(t)
	for name, s := range switches() {
		t.Run(name, func(t *testing.T) {
			row := evidence.Start(t, "the binary is killed after each named step; a switch", "runs")
			for at, killed := 1, true; killed; at++ {
				w, dir := switchWorkload(), scratch(t)
				w.real = true
				before, err := s.setup(dir, w)
				if err != nil {
					t.Fatal(err)
				}
				var steps []string
				steps, killed = (&binary{t, b.path}).run(dir, at, s.args...)
				world, err := w.open(fsys.OS, dir, 0)
				if err == nil {
					err = s.judge(world, &before, !killed)
				}
				if err != nil {
					t.Fatalf("killed at step %d of %q: %v", at, steps, err)
				}
				row.Tried++
				if !killed && at < 4 {
					t.Errorf("there were no steps: %q", steps)
				}
			}
		})
	}
}
