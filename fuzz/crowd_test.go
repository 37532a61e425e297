package fuzz

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/wal/fsys/measure"
)

var crowdTime = flag.Duration("fuzz.time", 2*time.Second, "how long a crowd of processes and goroutines works")

const (
	crowdProcesses  = 16
	crowdGoroutines = 64
	crowdFiles      = 8
)

// crowdWork adds 1 to numbers: in every other transaction to the one that all want,
// else to two others as a unit. It returns what was acknowledged, by file.
func crowdWork(s *txn.Store, seed uint64, stop func() bool) (done [crowdFiles]int, err error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	for !stop() {
		files := []int{0}
		if rng.IntN(2) == 0 {
			files = rng.Perm(crowdFiles - 1)[:2]
			files[0]++
			files[1]++
		}
		names := make([]string, len(files))
		for i, f := range files {
			names[i] = crowdFile(f)
		}
		_, err := s.Do(context.Background(), names, func(tx *txn.Tx) error {
			for _, name := range names {
				if err := increment(tx, name); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return done, err
		}
		for _, f := range files {
			done[f]++
		}
	}
	return done, nil
}

func crowdFile(i int) string { return fmt.Sprintf("number%d.json", i) }

// crowdStore lets every other process write behind.
func crowdStore(dir string, number uint64) (*txn.Store, error) {
	var o txn.Options
	if number%2 == 0 {
		o.WriteBehind = txn.WriteBehind{Delay: 100 * time.Millisecond}
	}
	return txn.Open(dir, o)
}

// childCrowd works until a file "stop" is there, and prints what was acknowledged
// and how much of the heap is still in use then.
func childCrowd(dir, arg string) error {
	var seed uint64
	if _, err := fmt.Sscan(arg, &seed); err != nil {
		return err
	}
	s, err := crowdStore(dir, seed)
	if err != nil {
		return err
	}
	done, err := crowdWork(s, seed, func() bool {
		_, err := os.Stat(filepath.Join(dir, "stop"))
		return err == nil
	})
	heap := held().heap
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	for f, n := range done {
		fmt.Println(f, n)
	}
	fmt.Println("heap", heap)
	return nil
}

// holdings are what a process that lives long must not pile up.
type holdings struct {
	heap                    uint64 // bytes
	goroutines, descriptors int
}

func held() holdings {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		open = nil // only Linux tells
	}
	return holdings{m.HeapAlloc, runtime.NumGoroutine(), len(open)}
}

// TestCrowd: 16 processes and the 64 goroutines of another work on the same files.
// Nothing may be lost, nothing may pile up, and in the end no file lags.
func TestCrowd(t *testing.T) {
	dir := scratch(t)
	for i := range crowdFiles {
		if err := os.WriteFile(filepath.Join(dir, crowdFile(i)), measure.Document(measure.Small, 0), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	row := evidence.Start(t, "16 processes and 64 goroutines work on the same files", "transactions")
	rng := random(t, row)
	s, err := crowdStore(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	processes := crowd{t: t}
	for i := range crowdProcesses {
		processes.start(child("crowd", dir, fmt.Sprint(uint64(i)+rng.Uint64()&^1)))
	}
	var sum crowdSum
	stop := make(chan struct{})
	var workers sync.WaitGroup
	for range crowdGoroutines {
		seed := rng.Uint64()
		workers.Go(func() { sum.add(crowdWork(s, seed, func() bool { return closed(stop) })) })
	}
	time.Sleep(*crowdTime / 4)
	early := held()
	time.Sleep(*crowdTime - *crowdTime/4)
	late := held()
	close(stop)
	if err := os.WriteFile(filepath.Join(dir, "stop"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	workers.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	processes.wait.Wait()
	sum.addLines(t, processes.said)
	if sum.err != nil {
		t.Fatal(sum.err)
	}
	t.Logf("%d additions; held early %+v, late %+v", sum.total(), early, late)
	notPiledUp(t, early, late)
	caughtUp(t, dir, sum.done)
	row.Tried, row.Checked = sum.total(), sum.total()
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// crowdSum adds up what was acknowledged, by file.
type crowdSum struct {
	mu   sync.Mutex
	done [crowdFiles]int
	err  error
}

func (c *crowdSum) add(done [crowdFiles]int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = errors.Join(c.err, err)
	for f, n := range done {
		c.done[f] += n
	}
}

func (c *crowdSum) total() (n int) {
	for _, each := range c.done {
		n += each
	}
	return n
}

// heapLimit is far above what stores over eight small files need, in bytes.
const heapLimit = 32 << 20

func (c *crowdSum) addLines(t *testing.T, lines []string) {
	ended := 0
	for _, line := range lines {
		var f, n int
		var heap uint64
		if _, err := fmt.Sscanf(line, "heap %d", &heap); err == nil {
			ended++
			if heap > heapLimit {
				t.Errorf("a process holds %d bytes of heap", heap)
			}
		} else if _, err := fmt.Sscan(line, &f, &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		} else {
			c.done[f] += n
		}
	}
	if ended != crowdProcesses {
		t.Errorf("%d processes ended as they should", ended)
	}
}

func notPiledUp(t *testing.T, early, late holdings) {
	if late.heap > heapLimit {
		t.Errorf("%d bytes of heap", late.heap)
	}
	if late.goroutines > early.goroutines+crowdGoroutines || late.descriptors > early.descriptors+crowdGoroutines {
		t.Errorf("held early: %+v, late: %+v", early, late)
	}
}

// caughtUp looks at the plain files, at their journals, and at what lies about.
func caughtUp(t *testing.T, dir string, done [crowdFiles]int) {
	total := 0
	for f, n := range done {
		total += n
		if have := counted(t, filepath.Join(dir, crowdFile(f))); have != n {
			t.Errorf("%s: %d, but %d additions were acknowledged", crowdFile(f), have, n)
		}
	}
	s, err := txn.Open(dir, txn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	st, err := admin.Status(context.Background(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Files) != crowdFiles {
		t.Errorf("%d files are tracked", len(st.Files))
	}
	journals := int64(0)
	for _, f := range st.Files {
		if journals += f.JournalBytes; f.Condition != "clean" {
			t.Errorf("%s is %s", f.File, f.Condition)
		}
	}
	if limit := int64(total)*1000 + 1<<20; journals > limit {
		t.Errorf("the journals of %d additions take %d bytes", total, journals)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".jtx-") {
			t.Errorf("left over: %s", e.Name())
		}
	}
	verifyDir(t, dir)
}
