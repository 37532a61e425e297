package fuzz

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
)

// crowd runs children until they end by themselves.
type crowd struct {
	t    *testing.T
	wait sync.WaitGroup
	mu   sync.Mutex
	said []string // every line that a child printed
}

// start runs a child and returns what kills it.
func (c *crowd) start(cmd *exec.Cmd) (kill func()) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	killed := make(chan struct{})
	ended := make(chan struct{})
	c.wait.Go(func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.mu.Lock()
			c.said = append(c.said, lines.Text())
			c.mu.Unlock()
		}
		err := cmd.Wait()
		select {
		case <-killed:
		default:
			if err != nil {
				c.t.Errorf("a child failed: %v: %s", err, stderr.String())
			}
		}
	})
	return func() {
		close(killed)
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			c.t.Error(err)
		}
		<-ended
	}
}

func increment(tx *txn.Tx, file string) error {
	var n int
	if err := tx.Decode(file, "/n", &n); err != nil && !errors.Is(err, txn.ErrNotFound) {
		return err
	}
	return tx.Set(file, "/n", n+1)
}

func counted(t *testing.T, file string) int {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ N int }
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v.N
}

const (
	crowdSize  = 16
	increments = 50
)

func childIncrement(dir, _ string) error {
	s, err := txn.Open(dir, txn.Options{})
	if err != nil {
		return err
	}
	for range increments {
		_, err := s.Do(context.Background(), []string{"counter.json"}, func(tx *txn.Tx) error { return increment(tx, "counter.json") })
		if err != nil {
			return err
		}
	}
	return nil
}

func TestCrowdCounts(t *testing.T) {
	dir := scratch(t)
	c := crowd{t: t}
	row := evidence.Start(t, "sixteen processes count", "increments")
	for range crowdSize {
		c.start(child("increment", dir, ""))
	}
	c.wait.Wait()
	row.Tried, row.Checked = crowdSize*increments, crowdSize*increments
	if n := counted(t, filepath.Join(dir, "counter.json")); n != crowdSize*increments {
		t.Errorf("%d increments, expected %d", n, crowdSize*increments)
	}
	verifyDir(t, dir)
}

func verifyDir(t *testing.T, dir string) {
	s, err := txn.Open(dir, txn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(s, dir); err != nil {
		t.Error(err)
	}
}

const (
	accounts = 8
	opening  = 1000
)

func accountName(i int) string { return fmt.Sprintf("account%d.json", i) }

// account is the content of an account's file. Seen is, for each process, the
// number of its last transfer with this account.
type account struct {
	Balance int            `json:"balance"`
	Seen    map[string]int `json:"seen"`
}

// childTransfer moves money between random accounts until a file "stop" is there,
// and prints the two accounts and its number after each transfer. arg is its name,
// its seed, how long files may be behind, and how many goroutines do so.
func childTransfer(dir, arg string) error {
	var name string
	var seed uint64
	var delay time.Duration
	var clients int
	if _, err := fmt.Sscan(arg, &name, &seed, &delay, &clients); err != nil {
		return err
	}
	s, err := txn.Open(dir, txn.Options{WriteBehind: txn.WriteBehind{Delay: delay}})
	if err != nil {
		return err
	}
	errs := make([]error, clients)
	var wait sync.WaitGroup
	for i := range clients {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		wait.Go(func() { errs[i] = transfers(s, dir, fmt.Sprintf("%s.%d", name, i), rng) })
	}
	wait.Wait()
	return errors.Join(append(errs, s.Close())...)
}

// transfers is one client of childTransfer.
func transfers(s *txn.Store, dir, name string, rng *rand.Rand) error {
	for number := 1; ; number++ {
		if _, err := os.Stat(filepath.Join(dir, "stop")); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		pair := rng.Perm(accounts)[:2]
		if err := transfer(s, name, number, pair, rng.IntN(100)); err != nil {
			return err
		}
		fmt.Printf("%[1]s %[2]d %[3]d\n%[1]s %[2]d %[4]d\n", name, number, pair[0], pair[1]) // one write: lines don't mix
	}
}

func transfer(s *txn.Store, name string, number int, pair []int, amount int) error {
	files := []string{accountName(pair[0]), accountName(pair[1])}
	_, err := s.Do(context.Background(), files, func(tx *txn.Tx) error {
		for i, f := range files {
			var a account
			if err := tx.Decode(f, "", &a); err != nil {
				return err
			}
			a.Balance += amount * (1 - 2*i)
			if a.Seen == nil {
				a.Seen = map[string]int{}
			}
			a.Seen[name] = number
			if err := tx.Encode(f, a); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// TestTransfersSurviveKills: eight processes transfer, and are killed and
// replaced at random, while others watch.
func TestTransfersSurviveKills(t *testing.T) {
	t.Run("one client each", func(t *testing.T) {
		transfersSurviveKills(t, "eight processes transfer, killed at random", 8, 0, 1)
	})
	t.Run("write-behind, four clients each", func(t *testing.T) {
		transfersSurviveKills(t, "four processes of four goroutines transfer in write-behind, killed at random", 4, 20*time.Millisecond, 4)
	})
}

func transfersSurviveKills(t *testing.T, kind string, processes int, delay time.Duration, clients int) {
	dir := scratch(t)
	var names []string
	for i := range accounts {
		names = append(names, accountName(i))
		if err := os.WriteFile(filepath.Join(dir, names[i]), fmt.Appendf(nil, `{"balance": %d}`, opening), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	row := evidence.Start(t, kind, "kills")
	rng := random(t, row)
	c := crowd{t: t}
	var kills []func()
	begin := func(slot int) func() {
		return c.start(child("transfer", dir, fmt.Sprintf("p%d-%d %d %d %d", slot, len(c.said), rng.Uint64(), delay, clients)))
	}
	for i := range processes {
		kills = append(kills, begin(i))
	}
	s, err := txn.Open(dir, txn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	killed, views, reads := 0, 0, 0
	for end := time.Now().Add(time.Duration(*effort) * 2 * time.Second); time.Now().Before(end) && !t.Failed(); {
		checkWhole(t, dir, names)
		reads += len(names)
		if views++; !checkSum(t, s, names) {
			break
		}
		if victim := rng.IntN(2 * processes); victim < len(kills) {
			kills[victim]()
			c.mu.Lock()
			kills[victim] = begin(victim)
			c.mu.Unlock()
			killed++
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "stop"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.wait.Wait()
	checkSum(t, s, names)
	if err := sweep(s, dir); err != nil {
		t.Error(err)
	}
	c.checkAcknowledged(dir)
	verifyDir(t, dir)
	row.Tried, row.Checked = killed, len(c.said)/2
	t.Logf("%d transfers, %d kills, %d views, %d plain reads", len(c.said)/2, killed, views, reads)
}

// checkWhole reads as any program does.
func checkWhole(t *testing.T, dir string, names []string) {
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if !json.Valid(data) {
			t.Errorf("%s is not whole: %.100q", name, data)
		}
	}
}

func checkSum(t *testing.T, s *txn.Store, names []string) bool {
	sum := 0
	err := s.View(context.Background(), names, func(tx *txn.Tx) error {
		sum = 0
		for _, name := range names {
			var a account
			if err := tx.Decode(name, "", &a); err != nil {
				return err
			}
			sum += a.Balance
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	} else if sum != accounts*opening {
		t.Errorf("the sum is %d", sum)
	}
	return err == nil && sum == accounts*opening
}

// checkAcknowledged looks for every transfer that a child was told of.
func (c *crowd) checkAcknowledged(dir string) {
	for _, line := range c.said {
		var name string
		var number, i int
		if _, err := fmt.Sscan(line, &name, &number, &i); err != nil {
			continue // cut off by a kill
		}
		data, err := os.ReadFile(filepath.Join(dir, accountName(i)))
		if err != nil {
			c.t.Fatal(err)
		}
		var a account
		if err := json.Unmarshal(data, &a); err != nil {
			c.t.Fatal(err)
		}
		if a.Seen[name] < number {
			c.t.Fatalf("lost: transfer %d of %s with %s", number, name, accountName(i))
		}
	}
}

var nestedFiles = []string{"f.json", "a/f.json", "a/b/f.json", "a/b/c/f.json"}

const nestedEach = 3

// childNested makes its first writes when the file "go" appears. Some processes
// make a directory a workspace at the same time.
func childNested(dir, arg string) error {
	n, err := strconv.Atoi(arg)
	if err != nil {
		return err
	}
	s, err := txn.Open(dir, txn.Options{})
	if err != nil {
		return err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go")); err == nil {
			break
		}
	}
	if n%4 == 0 {
		if _, _, err := s.Init(context.Background(), filepath.Dir(nestedFiles[n/4])); err != nil {
			return fmt.Errorf("init: %w", err)
		}
	}
	for i := range nestedEach * len(nestedFiles) {
		file := nestedFiles[(i+n)%len(nestedFiles)]
		_, err := s.Do(context.Background(), []string{file}, func(tx *txn.Tx) error { return increment(tx, file) })
		if err != nil {
			return err
		}
	}
	return nil
}

// TestFirstWritesAtOnce: whichever workspace comes to cover a file, and when,
// nobody may write it under another's lock.
func TestFirstWritesAtOnce(t *testing.T) {
	row := evidence.Start(t, "sixteen processes write first, while workspaces are made", "increments")
	for range 3 * *effort {
		dir := scratch(t)
		if err := os.MkdirAll(filepath.Join(dir, "a/b/c"), 0o700); err != nil {
			t.Fatal(err)
		}
		c := crowd{t: t}
		for i := range crowdSize {
			c.start(child("nested", dir, strconv.Itoa(i)))
		}
		if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		c.wait.Wait()
		for _, f := range nestedFiles {
			row.Tried, row.Checked = row.Tried+crowdSize*nestedEach, row.Checked+crowdSize*nestedEach
			if n := counted(t, filepath.Join(dir, f)); n != crowdSize*nestedEach {
				t.Errorf("%s: %d increments, expected %d", f, n, crowdSize*nestedEach)
			}
		}
		verifyDir(t, dir)
		if t.Failed() {
			return
		}
	}
}
