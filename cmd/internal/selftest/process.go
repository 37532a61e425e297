package selftest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
)

// processes is how many work at once.
const processes = 4

// locks holds a lock in another process, and expects it to exclude this one until
// that is killed.
func (r *run) locks() (Verdict, string, error) {
	lock := r.path("lock")
	if took, err := tryLock(r.ctx, lock, 0); !took {
		return Failed, "", err
	}
	c, err := r.start(job{What: "hold", Dir: lock})
	if err != nil {
		return Failed, "", err
	}
	defer c.stdin.Close()
	if !c.lines.Scan() {
		return Failed, "", errors.Join(errors.New("a process could not lock"), c.lines.Err(), c.kill())
	}
	took, err := tryLock(r.ctx, lock, 0)
	if took || !errors.Is(err, lockmgr.ErrTimeout) {
		return Failed, "", errors.Join(fmt.Errorf("two processes got the same lock: %w", err), c.kill())
	}
	if err := c.kill(); err != nil {
		return Failed, "", err
	}
	if took, err := tryLock(r.ctx, lock, 5*time.Second); !took {
		return Failed, "", fmt.Errorf("a killed process still holds its lock: %w", err)
	}
	return OK, "exclude other processes, and end with theirs", nil
}

func tryLock(ctx context.Context, path string, wait time.Duration) (bool, error) {
	held, err := lockmgr.Default.Acquire(ctx, wait, []lockmgr.Request{{Path: path, Mode: lockmgr.Exclusive}})
	if err != nil {
		return false, err
	}
	return true, held.Release()
}

// kills kills a process again and again while it changes two files, and checks
// after each what is there, before and after recovery.
func (r *run) kills() (Verdict, string, error) {
	for _, dir := range []string{"left", "right"} {
		if err := os.Mkdir(r.path(dir), 0o700); err != nil {
			return Failed, "", err
		}
	}
	const most = 60
	n, rounds := 0, 0
	for start := time.Now(); rounds < most && time.Since(start) < r.Time; rounds++ {
		told, err := r.killOnce(rounds%2 == 0)
		if err != nil {
			return Failed, "", err
		}
		n, err = r.afterKill(max(n, told), n == 0 && told == 0)
		if err != nil {
			return Failed, "", fmt.Errorf("kill %d: %w", rounds+1, err)
		}
	}
	if n == 0 {
		return Failed, "", fmt.Errorf("no transaction was committed in %d rounds", rounds)
	}
	return OK, fmt.Sprintf("%d times in %d transactions over two files: nothing was lost or half done", rounds, n), r.verified()
}

// firstCommit is how long a process may take to start and to commit once.
const firstCommit = time.Minute

// killOnce lets a process run for a while, from its first commit on if that is to be
// waited for. It returns the last number that the process was told to have committed.
func (r *run) killOnce(commits bool) (told int, err error) {
	c, err := r.start(job{What: "pair"})
	if err != nil {
		return 0, err
	}
	delay := time.Duration(r.rng.IntN(60_000)) * time.Microsecond
	first := delay + 5*time.Millisecond
	if commits {
		first = firstCommit
	}
	timer := time.AfterFunc(first, func() {
		// Where this fails the process has ended, and then its output has too.
		_ = c.cmd.Process.Kill()
	})
	defer timer.Stop()
	for c.lines.Scan() {
		if _, err := fmt.Sscan(c.lines.Text(), &told); err != nil {
			return 0, err
		}
		if commits {
			commits = false
			timer.Reset(delay)
		}
	}
	return told, c.kill()
}

// afterKill checks both files against the number that was told: any reader sees
// that one or the next, and after recovery both show the same.
func (r *run) afterKill(told int, mayLack bool) (int, error) {
	for _, file := range pairFiles {
		n, err := r.plainNumber(file)
		if mayLack && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if n < told || n > told+1 {
			return 0, fmt.Errorf("%s shows %d after %d was acknowledged", file, n, told)
		}
	}
	if err := r.recovered(); err != nil {
		return 0, err
	}
	var n [2]int
	for i, file := range pairFiles {
		var err error
		if n[i], err = r.plainNumber(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
	}
	if n[0] != n[1] || n[0] < told {
		return 0, fmt.Errorf("after recovery the two files show %d and %d, and %d was acknowledged", n[0], n[1], told)
	}
	return n[0], nil
}

// plainNumber reads a file as any program does.
func (r *run) plainNumber(file string) (int, error) {
	data, err := os.ReadFile(r.path(file))
	if err != nil {
		return 0, err
	}
	var doc struct{ N int }
	if err := json.Unmarshal(data, &doc); err != nil {
		return 0, fmt.Errorf("%s is not whole: %w", file, err)
	}
	return doc.N, nil
}

// together starts a job in several processes and adds up what they say.
func (r *run) together(j job) (sum int, err error) {
	var children []*child
	for i := range processes {
		j.Worker = i
		c, startErr := r.start(j)
		if startErr != nil {
			err = errors.Join(err, startErr)
			break
		}
		children = append(children, c)
	}
	for _, c := range children {
		n, waitErr := c.last()
		sum += n
		err = errors.Join(err, waitErr)
	}
	return sum, err
}

// workers lets processes raise one number.
func (r *run) workers() (Verdict, string, error) {
	start := time.Now()
	sum, err := r.together(job{What: "increment", Times: 250, For: r.Time})
	if err != nil {
		return Failed, "", err
	}
	took := time.Since(start)
	n, err := r.plainNumber(counterFile)
	if err != nil {
		return Failed, "", err
	}
	if n != sum {
		return Failed, "", fmt.Errorf("%d processes raised a number %d times, and it is %d", processes, sum, n)
	}
	detail := fmt.Sprintf("%d processes raised a number %d times, and it is that (%.0f commits/s)", processes, sum, float64(sum)/took.Seconds())
	return OK, detail, r.verified()
}

// transfers lets processes move money between accounts while this one looks.
func (r *run) transfers() (Verdict, string, error) {
	var files []string
	for i := range accounts {
		files = append(files, accountFile(i))
	}
	if _, err := r.store.Do(r.ctx, files, func(tx *txn.Tx) error {
		for _, f := range files {
			if err := tx.Set(f, "/balance", balance); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return Failed, "", err
	}
	looking, cancel := context.WithCancel(r.ctx)
	looked := make(chan error, 1)
	looks := 0
	go func() { looked <- r.look(looking, files, &looks) }()
	sum, err := r.together(job{What: "transfer", Seed: r.Seed, Times: 100, For: r.Time})
	cancel()
	if err := errors.Join(err, <-looked, r.total(files)); err != nil {
		return Failed, "", err
	}
	return OK, fmt.Sprintf("%d transfers between %d files; in %d looks the sum was right", sum, accounts, looks), r.verified()
}

func (r *run) look(ctx context.Context, files []string, looks *int) error {
	for ; ctx.Err() == nil; *looks++ {
		if err := r.total(files); err != nil {
			return err
		}
	}
	return nil
}

// total checks the sum of all accounts in one consistent state.
func (r *run) total(files []string) error {
	sum := 0
	err := r.store.View(r.ctx, files, func(tx *txn.Tx) error {
		for _, f := range files {
			n, err := numberAt(tx, f, "/balance")
			if err != nil {
				return err
			}
			sum += n
		}
		return nil
	})
	if err == nil && sum != accounts*balance {
		return fmt.Errorf("the accounts hold %d together, not %d", sum, accounts*balance)
	}
	return err
}
