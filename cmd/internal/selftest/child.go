package selftest

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
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
)

// job is what a process that a check starts does.
type job struct {
	What   string        `json:"what"` // a key of jobs
	Dir    string        `json:"dir"`
	Seed   uint64        `json:"seed"`
	Worker int           `json:"worker"`
	Times  int           `json:"times"` // at most; 0: no bound
	For    time.Duration `json:"for"`   // at most; 0: no bound
}

var jobs = map[string]func(context.Context, job, io.Writer) error{
	"hold":      hold,
	"pair":      pair,
	"increment": incrementMany,
	"transfer":  transferMany,
}

// Child does the job that a check has given to a process. It ends with its
// parent, whose end of standard input closes then.
func Child(ctx context.Context, text string, in io.Reader, out io.Writer) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	do := jobs[j.What]
	if do == nil {
		return fmt.Errorf("no job %q", j.What)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		// Reading ends when the parent does, whichever error that is.
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	return do(ctx, j, out)
}

// hold takes a lock until it is told to stop.
func hold(ctx context.Context, j job, out io.Writer) error {
	held, err := lockmgr.Default.Acquire(ctx, time.Second, []lockmgr.Request{{Path: j.Dir, Mode: lockmgr.Exclusive}})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "held")
	<-ctx.Done()
	return held.Release()
}

// again repeats a transaction as often, and as long, as the job says.
func (j job) again(ctx context.Context, do func(*txn.Store) error) (times int, err error) {
	s, err := txn.Open(j.Dir, txn.Options{})
	if err != nil {
		return 0, err
	}
	start := time.Now()
	for ctx.Err() == nil && (j.Times == 0 || times < j.Times) && (j.For == 0 || time.Since(start) < j.For) {
		if err := do(s); err != nil {
			return times, err
		}
		times++
	}
	return times, nil
}

// pairFiles are changed together.
var pairFiles = []string{"left/pair.json", "right/pair.json"}

// pair raises a number in two files, and says so each time.
func pair(ctx context.Context, j job, out io.Writer) error {
	_, err := j.again(ctx, func(s *txn.Store) error {
		n := 0
		_, err := s.Do(ctx, pairFiles, func(tx *txn.Tx) (err error) {
			if n, err = numberAt(tx, pairFiles[0], "/n"); err != nil {
				return err
			}
			return errors.Join(tx.Set(pairFiles[0], "/n", n+1), tx.Set(pairFiles[1], "/n", n+1))
		})
		if err == nil {
			fmt.Fprintln(out, n+1)
		}
		return err
	})
	return err
}

func numberAt(tx *txn.Tx, file, place string) (n int, err error) {
	err = tx.Decode(file, place, &n)
	if errors.Is(err, txn.ErrNotFound) {
		return 0, nil
	}
	return n, err
}

const counterFile = "counter.json"

func incrementMany(ctx context.Context, j job, out io.Writer) error {
	times, err := j.again(ctx, func(s *txn.Store) error {
		_, err := s.Do(ctx, []string{counterFile}, func(tx *txn.Tx) error {
			n, err := numberAt(tx, counterFile, "/n")
			if err != nil {
				return err
			}
			return tx.Set(counterFile, "/n", n+1)
		})
		return err
	})
	fmt.Fprintln(out, times)
	return err
}

const (
	accounts = 5
	balance  = 100
)

func accountFile(i int) string { return fmt.Sprintf("account-%d.json", i) }

func transferMany(ctx context.Context, j job, out io.Writer) error {
	rng := rand.New(rand.NewPCG(j.Seed, uint64(j.Worker)))
	times, err := j.again(ctx, func(s *txn.Store) error {
		from, to := rng.IntN(accounts), rng.IntN(accounts-1)
		if to >= from {
			to++
		}
		a, b, amount := accountFile(from), accountFile(to), rng.IntN(20)
		_, err := s.Do(ctx, []string{a, b}, func(tx *txn.Tx) error {
			x, err := numberAt(tx, a, "/balance")
			if err != nil {
				return err
			}
			y, err := numberAt(tx, b, "/balance")
			if err != nil {
				return err
			}
			return errors.Join(tx.Set(a, "/balance", x-amount), tx.Set(b, "/balance", y+amount))
		})
		return err
	})
	fmt.Fprintln(out, times)
	return err
}

// child is a process at work.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
}

func (r *run) start(j job) (*child, error) {
	if j.Dir == "" {
		j.Dir = r.work
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	cmd, err := r.Child(string(text))
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &child{cmd, in, bufio.NewScanner(out)}, nil
}

// kill ends it as kill -9 does.
func (c *child) kill() error {
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	c.stdin.Close()
	// It was killed, so that how it ended says nothing.
	_ = c.cmd.Wait()
	return nil
}

// last waits for the child's end and returns the number on its last line.
func (c *child) last() (n int, err error) {
	for c.lines.Scan() {
		if _, err := fmt.Sscan(c.lines.Text(), &n); err != nil {
			return 0, err
		}
	}
	defer c.stdin.Close()
	return n, errors.Join(c.lines.Err(), c.cmd.Wait())
}
