package tail

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

func makeFiles(dir string, names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, os.MkdirAll(filepath.Join(dir, "files", name), 0o700))
	}
	return errors.Join(errs...)
}

func openFiles(l *Log, names ...string) (files []*File, err error) {
	for _, name := range names {
		f, err := l.File(name)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func closeAll(l *Log, files []*File) error {
	err := l.Close()
	for _, f := range files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// version is what a file holds after its record of that LSN.
func version(lsn wal.LSN) wal.Version {
	return wal.Version{Exists: lsn > 0, Size: int64(lsn), Hash: wal.Hash{byte(lsn), byte(lsn >> 8), byte(lsn >> 16)}}
}

// unit is one of these files, as a commit would make it.
func unit(id wal.ID, pad int, files ...*File) (parts []Part) {
	var all []wal.Participant
	if len(files) > 1 {
		for _, f := range files {
			all = append(all, wal.Participant{Path: f.name, LSN: f.LSN() + 1})
		}
	}
	for _, f := range files {
		lsn := f.LSN()
		parts = append(parts, Part{f, &wal.Record{Kind: wal.KindPatch, Unit: id, Rev: uint64(lsn + 1), Participants: all, Before: version(lsn), After: version(lsn + 1),
			Txns: []wal.Txn{{ID: id, Actor: "a", Message: strings.Repeat("x", pad), Patch: []byte(`[]`)}}}})
	}
	return parts
}

// crash is work whose every disk state after a crash is looked at.
type crash struct {
	// drop says which syncs are left out: the fault that must then be found.
	drop func(name string, isDir bool) bool
}

const crashUnits = 36

var crashNames = []string{"a", "b", "c"}

// filesOf are those of the n-th unit: one, two or three.
func filesOf(files []*File, n int) []*File {
	if n%3 == 0 {
		return files
	}
	return files[n%3-1 : min(n%3+n%2, 3)]
}

func (crash) options(fsy fsys.FS, boots int) Options {
	return Options{FS: fsy, SegmentSize: 2000, Delay: time.Hour, Boot: [16]byte{1, byte(boots)}}
}

// run commits in groups of one to three, and opens again now and then.
func (c crash) run(rec *crashfs.Recorder, dir string) error {
	var fsy fsys.FS = rec
	if c.drop != nil {
		fsy = crashfs.DropSyncs(rec, c.drop)
	}
	for n := 0; n < crashUnits; {
		l, err := Open(dir, c.options(fsy, 0))
		if err != nil {
			return err
		}
		files, err := openFiles(l, crashNames...)
		if err != nil {
			return err
		}
		for end := n + crashUnits/2; n < end; {
			var group []*Unit
			for range min(1+n%3, end-n) {
				u, err := l.Append(unit(wal.ID{byte(n + 1)}, 10*(n%7), filesOf(files, n)...)...)
				if err != nil {
					return err
				}
				group = append(group, u)
				n++
			}
			for i, u := range group {
				if err := l.Wait(u); err != nil {
					return err
				}
				rec.Pointf("%d", n-len(group)+i)
			}
		}
		if err := closeAll(l, files); err != nil {
			return err
		}
	}
	return nil
}

func (c crash) recover(fsy fsys.FS, dir string, at crashfs.Crash) error {
	l, err := Open(dir, c.options(fsy, at.Boots))
	if err != nil {
		return err
	}
	return l.Close()
}

// check wants the journals to hold the same first units, all that were
// acknowledged among them, and to take another.
func (c crash) check(dir string, at crashfs.Crash) error {
	l, err := Open(dir, c.options(fsys.OS, at.Boots))
	if err != nil {
		return err
	}
	files, err := openFiles(l, crashNames...)
	if err != nil {
		return err
	}
	u, err := l.Append(unit(wal.ID{255}, 0, files...)...)
	if err != nil {
		return err
	}
	if err := errors.Join(l.Wait(u), closeAll(l, files)); err != nil {
		return fmt.Errorf("go on after the crash: %w", err)
	}
	got := map[string][]byte{}
	whole := 0
	for _, name := range crashNames {
		for r, err := range wal.Scan(fsys.OS, filepath.Join(dir, "files", name), 1) {
			if err != nil {
				return err
			}
			got[name] = append(got[name], r.Unit[0])
			if r.Unit[0] != 255 {
				whole = max(whole, int(r.Unit[0]))
			}
		}
	}
	want := map[string][]byte{}
	for n := range whole {
		for _, f := range filesOf(files, n) {
			want[f.name] = append(want[f.name], byte(n+1))
		}
	}
	for _, name := range crashNames {
		if w := append(want[name], 255); string(w) != string(got[name]) {
			return fmt.Errorf("the journal of %s has the units %v, expected %v", name, got[name], w)
		}
	}
	if whole < len(at.Points) {
		return fmt.Errorf("%d units, but %d were acknowledged", whole, len(at.Points))
	}
	return nil
}

func (c crash) search(t *testing.T) []crashfs.Violation {
	states := 3000
	if testing.Short() {
		states = 300
	}
	stats, found, err := crashfs.Search(crashfs.Config{Setup: func(dir string) error { return makeFiles(dir, crashNames...) },
		Run: c.run, Recover: c.recover, Check: c.check, Depth: 1, Nested: 60, States: states})
	require.NoError(t, err)
	t.Log(stats)
	return found
}

func TestCrashes(t *testing.T) { require.Empty(t, crash{}.search(t)) }

func TestMissingSyncsAreFound(t *testing.T) {
	for name, drop := range map[string]func(name string, isDir bool) bool{
		"of the shared log": func(name string, isDir bool) bool { return strings.HasPrefix(filepath.Base(name), "tail.") },
		"of the journals":   func(name string, isDir bool) bool { return !isDir && strings.Contains(name, "/wal/") },
	} {
		t.Run(name, func(t *testing.T) { require.NotEmpty(t, crash{drop}.search(t)) })
	}
}

// TestDamage has three units in the log and not in the journals, and one byte of it
// wrong: behind what was durable for certain that is a torn tail, else it is damage.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, makeFiles(dir, "a"))
	opt := Options{SegmentSize: 1000, Delay: time.Hour}
	l, err := Open(dir, opt)
	require.NoError(t, err)
	files, err := openFiles(l, "a")
	require.NoError(t, err)
	_, err = l.Append(unit(wal.NewID(), 1000, files...)...)
	require.ErrorIs(t, err, ErrTooLarge)
	var last int64
	for range 3 {
		last = l.off
		u, err := l.Append(unit(wal.NewID(), 0, files...)...)
		require.NoError(t, err)
		require.NoError(t, l.Wait(u))
	}
	data, err := os.ReadFile(l.path(0))
	require.NoError(t, err)
	for at := range l.off {
		hurt := t.TempDir()
		require.NoError(t, makeFiles(hurt, "a"))
		wrong := append([]byte(nil), data...)
		wrong[at] ^= 4
		require.NoError(t, os.WriteFile(filepath.Join(hurt, "tail.0"), wrong, 0o600))
		again, err := Open(hurt, opt)
		if at < last {
			require.ErrorIs(t, err, ErrCorrupt, "byte %d", at)
			require.FileExists(t, filepath.Join(hurt, "tail.0"))
			continue
		}
		require.NoError(t, err)
		f, err := again.File("a")
		require.NoError(t, err)
		require.EqualValues(t, 2, f.LSN())
		require.NoError(t, closeAll(again, []*File{f}))
	}
	require.NoError(t, closeAll(l, files))
	require.NoFileExists(t, l.path(0))

	require.NoError(t, os.WriteFile(l.path(0), data, 0o600))
	l, err = Open(dir, opt)
	require.NoError(t, err, "the journal has it all")
	require.NoError(t, l.Close())
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "files", "a")))
	require.NoError(t, makeFiles(dir, "a"))
	require.NoError(t, os.WriteFile(l.path(0), data[last:], 0o600))
	_, err = Open(dir, opt)
	require.ErrorIs(t, err, ErrCorrupt, "a journal that ends too early")
}

const childVariable = "JTX_TAIL_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		fmt.Fprintln(os.Stderr, work(dir, os.Stdout))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const killedFiles, killedWorkers = 8, 16

func killedNames() (names []string) {
	for i := range killedFiles {
		names = append(names, fmt.Sprintf("f%d", i))
	}
	return names
}

// work commits units of one to three files until it is killed, and writes what was
// acknowledged: unit, file and LSN to a line.
func work(dir string, acks io.Writer) error {
	l, err := Open(dir, Options{SegmentSize: 20_000, Delay: 20 * time.Millisecond})
	if err != nil {
		return err
	}
	files, err := openFiles(l, killedNames()...)
	if err != nil {
		return err
	}
	var mu sync.Mutex // all files' lock
	failed := make(chan error)
	for range killedWorkers {
		go func() {
			for {
				some := files[rand.IntN(killedFiles):]
				some = some[:min(len(some), 1+rand.IntN(3))]
				mu.Lock()
				id, lines := wal.NewID(), ""
				u, err := l.Append(unit(id, rand.IntN(200), some...)...)
				for _, f := range some {
					lines += fmt.Sprintln(id, f.name, f.LSN())
				}
				mu.Unlock()
				if err == nil {
					err = l.Wait(u)
				}
				if err == nil {
					_, err = io.WriteString(acks, lines)
				}
				if err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	return <-failed
}

// TestKilled kills a process that commits, again and again in one workspace.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, makeFiles(dir, killedNames()...))
	acked := map[string]string{}
	for range 10 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"="+dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		killer := time.AfterFunc(time.Duration(30+rand.IntN(120))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			words := strings.Fields(lines.Text())
			if len(words) == 3 {
				acked[words[1]+" "+words[2]] = words[0]
			}
		}
		require.False(t, killer.Stop())
		var exit *exec.ExitError
		require.ErrorAs(t, cmd.Wait(), &exit)
		require.Equal(t, -1, exit.ExitCode(), "it ends only by being killed")
	}
	require.NotEmpty(t, acked)

	l, err := Open(dir, Options{})
	require.NoError(t, err)
	require.NoError(t, l.Close())
	missing := map[wal.ID]int{} // of a unit's records
	for _, name := range killedNames() {
		next := wal.LSN(1)
		for r, err := range wal.Scan(fsys.OS, filepath.Join(dir, "files", name), 1) {
			require.NoError(t, err)
			require.Equal(t, next, r.LSN)
			key := fmt.Sprintf("%s %d", name, r.LSN)
			if want, ok := acked[key]; ok {
				require.Equal(t, want, r.Unit.String())
				delete(acked, key)
			}
			if _, seen := missing[r.Unit]; !seen {
				missing[r.Unit] = max(1, len(r.Participants))
			}
			missing[r.Unit]--
			next++
		}
	}
	require.Empty(t, acked, "acknowledged, and not in the journal")
	for id, n := range missing {
		require.Zero(t, n, "records of unit %s are missing", id)
	}
}
