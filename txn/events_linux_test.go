package txn_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/txn"
)

// A follower is a program that follows the events of a directory. It returns those on
// each name, in order, up to the one on the name given: whether the name came, or
// went.
type follower func(t *testing.T, dir string) (upTo func(name string) map[string][]string)

const came, went = "came", "went"

var followers = map[string]follower{"raw inotify": rawInotify, "fsnotify": byFsnotify, "inotifywait": byInotifywait}

// collect gathers events until one is on the name given.
func collect(name string, next func() (on, what string)) map[string][]string {
	all := map[string][]string{}
	for {
		on, what := next()
		all[on] = append(all[on], what)
		if on == name {
			return all
		}
	}
}

func rawInotify(t *testing.T, dir string) func(string) map[string][]string {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	require.NoError(t, err)
	f := os.NewFile(uintptr(fd), "inotify")
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	_, err = unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_DELETE|unix.IN_MOVED_FROM|unix.IN_MOVED_TO)
	require.NoError(t, err)
	var pending []byte
	return func(name string) map[string][]string {
		return collect(name, func() (string, string) {
			if len(pending) == 0 {
				pending = make([]byte, 64<<10)
				n, err := f.Read(pending)
				require.NoError(t, err)
				pending = pending[:n]
			}
			e := (*unix.InotifyEvent)(unsafe.Pointer(&pending[0]))
			on := strings.TrimRight(string(pending[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+e.Len]), "\x00")
			pending = pending[unix.SizeofInotifyEvent+e.Len:]
			if e.Mask&(unix.IN_CREATE|unix.IN_MOVED_TO) != 0 {
				return on, came
			}
			return on, went
		})
	}
}

func byFsnotify(t *testing.T, dir string) func(string) map[string][]string {
	w, err := fsnotify.NewWatcher()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	require.NoError(t, w.Add(dir))
	return func(name string) map[string][]string {
		return collect(name, func() (string, string) {
			for e := range w.Events {
				switch on := filepath.Base(e.Name); {
				case e.Has(fsnotify.Create):
					return on, came
				case e.Has(fsnotify.Remove), e.Has(fsnotify.Rename):
					return on, went
				}
			}
			t.Fatal("the watcher has ended")
			return "", ""
		})
	}
}

func byInotifywait(t *testing.T, dir string) func(string) map[string][]string {
	path, err := exec.LookPath("inotifywait")
	if err != nil {
		t.Skip("inotifywait is not installed")
	}
	cmd := exec.Command(path, "-m", "-e", "create,delete,moved_from,moved_to", "--format", "%e %f", dir)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
	})
	for told := bufio.NewScanner(stderr); told.Scan() && !strings.Contains(told.Text(), "established"); {
	}
	lines := bufio.NewScanner(stdout)
	return func(name string) map[string][]string {
		return collect(name, func() (string, string) {
			require.True(t, lines.Scan(), "%v", lines.Err())
			event, on, _ := strings.Cut(lines.Text(), " ")
			if strings.HasPrefix(event, "CREATE") || strings.HasPrefix(event, "MOVED_TO") {
				return on, came
			}
			return on, went
		})
	}
}

// TestLastEventsOnAName: the last event that a program sees on the name of a file is
// its arrival where the file is new or was replaced, and its departure where it was
// removed or moved.
func TestLastEventsOnAName(t *testing.T) {
	for name, follow := range followers {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := txn.Open(dir, txn.Options{})
			require.NoError(t, err)
			defer s.Close()
			ctx := context.Background()
			change := func(files []string, fn func(*txn.Tx) error) {
				_, err := s.Do(ctx, files, fn)
				require.NoError(t, err)
			}
			put := func(file string, v int) {
				change([]string{file}, func(tx *txn.Tx) error { return tx.Put(file, fmt.Appendf(nil, `{"v":%d}`, v)) })
			}
			put("a.json", 0)
			upTo := follow(t, dir)
			marks := 0
			last := func() map[string]string {
				marks++
				mark := fmt.Sprint("mark", marks)
				require.NoError(t, os.WriteFile(filepath.Join(dir, mark), nil, 0o600))
				ends := map[string]string{}
				for on, events := range upTo(mark) {
					ends[on] = events[len(events)-1]
				}
				return ends
			}
			for v := range 5 { // those behind the first are written to spares
				put("a.json", v+1)
				require.Equal(t, came, last()["a.json"], "replaced")
			}
			put("b.json", 1)
			require.Equal(t, came, last()["b.json"], "new")
			change([]string{"b.json"}, func(tx *txn.Tx) error { return tx.Remove("b.json") })
			require.Equal(t, went, last()["b.json"], "removed")
			_, err = s.Move(ctx, "a.json", "c.json")
			require.NoError(t, err)
			ends := last()
			require.Equal(t, went, ends["a.json"], "moved away")
			require.Equal(t, came, ends["c.json"], "moved here")
			require.NotContains(t, last(), "a.json", "and then nothing")
		})
	}
}
