package wal

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Hazard 5: a failed write stays in tidwall/wal's memory; later ones "succeed" and
// the journal can't be opened. A limit on the file's size makes its write fail half
// way; the limit is the process's, so it is another one.
func TestHazard05FailedWrite(t *testing.T) {
	dir := fileDir(t)
	build(t, dir, 22) // longer than the lock file is, so that the limit is in its way alone
	output := runChild(t, "full-disk", dir)
	require.Contains(t, output, "failed and went on")
	requireWhole(t, dir, 24)
}

func init() { children["full-disk"] = childFullDisk }

func childFullDisk(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	l, err := Open(dir, bigSegments())
	if err != nil {
		return err
	}
	if err := limitFileSize(uint64(l.State().Offset) + 50); err != nil {
		return err
	}
	if err := l.Append(patch(23)); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("append under the limit: %w", err)
	}
	if err := l.Append(patch(23)); !errors.Is(err, ErrFailed) {
		return fmt.Errorf("the error did not stick: %w", err)
	}
	if err := errors.Join(l.Reopen(), limitFileSize(1<<30)); err != nil {
		return err
	}
	if l.State().Last != 22 || l.Cut().Bytes != 50 {
		return fmt.Errorf("after reopening: %+v", l.State())
	}
	fmt.Println("failed and went on")
	return tryCommit(l, patch(23), patch(24))
}

func init() { children["append"] = childAppend }

const (
	appenders      = 4
	appendsPerTurn = 30
)

// TestProcessesAppendAndDie: processes append under one flock, with handles kept or
// opened anew, and die in the middle of it; a reader without a lock looks on. No
// acknowledged record is lost, and none is there twice.
func TestProcessesAppendAndDie(t *testing.T) {
	dir := fileDir(t)
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() { readUntil(t, dir, stop) })
	var writers sync.WaitGroup
	var mu sync.Mutex
	acked := map[string]bool{}
	for i := range appenders {
		writers.Go(func() {
			cmd := childCommand(t, "append", dir)
			cmd.Env = append(cmd.Env, fmt.Sprintf("JTX_WAL_TEST_SEED=%d", i))
			out, err := cmd.Output()
			var exit *exec.ExitError
			if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != -1) {
				t.Errorf("appender %d: %v", i, err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, id := range strings.Fields(string(out)) {
				acked[id] = true
			}
		})
	}
	writers.Wait()
	close(stop)
	reader.Wait()

	l := open(t, dir, testOptions())
	require.NoError(t, l.Secure())
	found := map[string]int{}
	recs, err := scanAll(dir)
	require.NoError(t, err)
	for _, r := range recs {
		found[r.Unit.String()]++
	}
	require.GreaterOrEqual(t, len(acked), appendsPerTurn, "one of them lives")
	for id := range acked {
		require.Equal(t, 1, found[id], "unit %s", id)
	}
	require.LessOrEqual(t, len(recs), len(acked)+appenders, "only what a death cut short is there unacknowledged")
}

// childAppend prints the units that it was told are durable. All but the first kill
// themselves somewhere: seed and place come from the environment.
func childAppend(dir string) error {
	seed, err := strconv.Atoi(os.Getenv("JTX_WAL_TEST_SEED"))
	if err != nil {
		return err
	}
	kept, err := Open(dir+"/nothing-yet", testOptions())
	if err != nil {
		return err
	}
	for i := range appendsPerTurn {
		step := -1
		if seed > 0 && i == 7*seed {
			step = seed
		}
		err := underLock(dir, func() error {
			if i%5 == 0 {
				if err := kept.Close(); err != nil {
					return err
				}
				if kept, err = Open(dir, testOptions()); err != nil {
					return err
				}
			} else if err := kept.Refresh(); err != nil {
				return err
			}
			return appendAndDie(kept, step)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func appendAndDie(l *Log, step int) error {
	r := patch(1)
	r.Unit = NewID()
	for i, do := range []func() error{
		l.MarkPending,
		func() error { return l.Append(r) },
		l.Sync,
		func() error { _, err := fmt.Println(r.Unit); return err },
		func() error { return l.Settle(r.LSN, FileID{}, r.After, false) },
	} {
		if err := do(); err != nil {
			return err
		}
		if i == step {
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	return nil
}

// readUntil checks that the journal only ever grows, as its readers see it.
func readUntil(t *testing.T, dir string, stop chan struct{}) {
	seen := LSN(0)
	for {
		select {
		case <-stop:
			return
		default:
		}
		next := LSN(1)
		for r, err := range Scan(nil, dir, 1) {
			if err != nil || r.LSN != next {
				t.Errorf("record %d: %v", next, err)
				return
			}
			next++
		}
		if next < seen {
			t.Errorf("%d records, %d before", next-1, seen-1)
			return
		}
		seen = next
	}
}
