package disk

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal/fsys"
)

// workerJob holds the job of a worker, as JSON. The test binary runs itself.
const workerJob = "JTX_DISK_WORKER"

// job is what a worker does: transactions, one after the other, until one fails.
type job struct {
	Dir    string
	Worker int
	Seed   uint64
	Boot   int
	Drop   string // a key of drops
	// Steps after which it waits to be killed; 0: none.
	Steps int
	// Behind is how long the files may be behind.
	Behind time.Duration
	// Fresh has each transaction in a store of its own, as a command has: between
	// two of them no file is open, so that the disk can be made read-only.
	Fresh bool
}

// drops are the syncs that a deliberately wrong jtx leaves out.
var drops = map[string]func(name string, isDir bool) bool{
	"temp files":  func(name string, isDir bool) bool { return !isDir && strings.HasPrefix(filepath.Base(name), ".jtx-") },
	"directories": func(_ string, isDir bool) bool { return isDir },
	"journals": func(name string, isDir bool) bool {
		return !isDir && strings.Contains(name, "/.jtx/files/")
	},
}

// A counter counts the transactions of each worker, in one file or in two.
const (
	soloCounter   = "solo"   // of one worker alone
	sharedCounter = "shared" // of all
	pairCounter   = "pair"   // of all, in two files
	freshCounter  = "fresh"  // a new file each time
)

func filesOf(counter string) []string {
	if counter == pairCounter {
		return []string{"left/pair.json", "right/pair.json"}
	}
	return []string{counter + ".json"}
}

func (j job) counter(rng *rand.Rand, step int) string {
	switch rng.IntN(5) {
	case 0:
		return fmt.Sprintf("%s-%d", soloCounter, j.Worker)
	case 1:
		return fmt.Sprintf("fresh/%s-%d-%d-%d", freshCounter, j.Worker, j.Boot, step)
	case 2:
		return sharedCounter
	}
	return pairCounter
}

// increment adds one to the worker's count in every file of the counter.
func increment(s *txn.Store, worker int, counter string) (count int, lags bool, err error) {
	files := filesOf(counter)
	place := "/by/" + nameOf(worker)
	res, err := s.Do(context.Background(), files, func(tx *txn.Tx) error {
		count = 0
		if err := tx.Decode(files[0], place, &count); err != nil && !errors.Is(err, txn.ErrNotFound) {
			return err
		}
		count++
		for _, f := range files {
			if err := tx.SetPath(f, place, count); err != nil {
				return err
			}
		}
		return nil
	}, txn.WithActor(nameOf(worker)))
	return count, len(res.Warnings) > 0, err
}

// work is a worker's life. Each line that it prints is a word, a counter, a count.
func work(text string) int {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		panic(err)
	}
	opt := txntest.With(txn.Options{WriteBehind: txn.WriteBehind{Delay: j.Behind}}, txntest.Hooks{Boot: bootOf(j.Boot)})
	if j.Drop != "" {
		opt = txntest.With(opt, txntest.Hooks{FS: crashfs.DropSyncs(fsys.OS, drops[j.Drop])})
	}
	open := func() *txn.Store {
		s, err := txn.Open(j.Dir, opt)
		if err != nil {
			panic(err)
		}
		return s
	}
	s := open()
	rng := rand.New(rand.NewPCG(j.Seed, uint64(j.Worker)))
	for step := 0; j.Steps == 0 || step < j.Steps; step++ {
		counter := j.counter(rng, step)
		fmt.Printf("try %s\n", counter)
		count, lags, err := increment(s, j.Worker, counter)
		if j.Fresh {
			_ = s.Close()
			s = open()
		}
		switch {
		case errors.Is(err, txn.ErrInDoubt):
			fmt.Printf("doubt %s 0 %q\n", counter, err)
			return 0
		case err != nil:
			fmt.Printf("fail %s 0 %q\n", counter, err)
			return 0
		case lags || j.Behind > 0:
			fmt.Printf("lag %s %d\n", counter, count)
		default:
			fmt.Printf("ack %s %d\n", counter, count)
		}
	}
	_ = s.Close() // so that the disk can be unmounted
	fmt.Println("idle")
	time.Sleep(time.Hour)
	return 0
}

// crew is some workers, and what they have said.
type crew struct {
	t     *testing.T
	cmds  []*exec.Cmd
	group sync.WaitGroup // of the readers
	idle  sync.WaitGroup // until each worker is idle or gone

	mu    sync.Mutex
	model *model
	clock func() int // stamps what is said
	fails []string
}

// hire starts workers on a directory.
func hire(t *testing.T, m *model, j job, workers int, clock func() int) *crew {
	t.Helper()
	c := &crew{t: t, model: m, clock: clock}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for i := range workers {
		j.Worker = i
		text, err := json.Marshal(j)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), workerJob+"="+string(text))
		cmd.Stderr = os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		c.cmds = append(c.cmds, cmd)
		c.idle.Add(1)
		c.group.Go(func() { c.listen(i, out) })
	}
	return c
}

func (c *crew) listen(worker int, out io.Reader) {
	done := sync.OnceFunc(c.idle.Done)
	defer done()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "idle" {
			done()
			continue
		}
		c.hear(worker, lines.Text())
	}
}

func (c *crew) hear(worker int, line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	words := strings.SplitN(line, " ", 4)
	if len(words) > 3 {
		c.fails = append(c.fails, line)
	}
	var count int
	if len(words) > 2 {
		if _, err := fmt.Sscan(words[2], &count); err != nil {
			c.t.Errorf("a worker says %q", line)
		}
	}
	c.model.note(words[0], key{words[1], worker}, count, c.clock())
}

// dismiss waits for the workers to end: by themselves, on a disk that has failed,
// or by a signal.
func (c *crew) dismiss(sig syscall.Signal) {
	if sig != 0 {
		for _, cmd := range c.cmds {
			if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
				c.t.Error(err)
			}
		}
	}
	c.group.Wait()
	for _, cmd := range c.cmds {
		// What they were told is judged, not how they end.
		_ = cmd.Wait()
	}
}
