package disk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/txntest"
)

// TestFullDisk fills a disk up to some room, runs transactions into its end, and
// compares every answer with what is there.
func TestFullDisk(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		dir := l.mount(t, l.image(t, 0), "")
		newTight(t, dir).run()
	})
}

// TestQuota is TestFullDisk for a quota. Root obeys those of btrfs.
func TestQuota(t *testing.T) {
	l := newLab(t, Kinds[slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == "btrfs" })])
	mnt := l.mount(t, l.image(t, 0), "")
	dir := filepath.Join(mnt, "q")
	for _, args := range [][]string{
		{"quota", "enable", mnt},
		{"subvolume", "create", dir},
		{"qgroup", "limit", "8M", dir},
	} {
		if out, err := exec.Command("btrfs", args...).CombinedOutput(); err != nil {
			t.Skipf("btrfs %s: %v: %s", args, err, out)
		}
	}
	newTight(t, dir).run()
}

// tight is a store where there is little room.
type tight struct {
	t       *testing.T
	dir     string
	ballast string
	rng     *rand.Rand
	store   *txn.Store

	answers map[string]int // how often each was given
	row     *evidence.Row
}

func newTight(t *testing.T, dir string) *tight {
	row := evidence.Start(t, "a disk or a quota runs full", "transactions")
	x := &tight{t: t, dir: dir, ballast: filepath.Join(dir, "ballast"), rng: drawn(t, row), answers: map[string]int{}, row: row}
	if err := furnish(dir); err != nil {
		t.Fatal(err)
	}
	var err error
	if x.store, err = txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{Boot: bootOf(0)})); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.store.Close() }) // the disk may be full
	return x
}

func (x *tight) run() {
	for i, room := range []int{0, 4 << 10, 8 << 10, 16 << 10, 24 << 10, 48 << 10, 96 << 10, 200 << 10} {
		if err := x.fill(room); err != nil {
			x.t.Fatal(err)
		}
		for step := range 8 {
			counter := job{Worker: i}.counter(x.rng, step)
			if err := x.try(counter); err != nil {
				x.t.Fatalf("with room for %d, step %d, %s: %v", room, step, counter, err)
			}
		}
		if err := x.empty(); err != nil {
			x.t.Fatalf("with room again, after %d: %v", room, err)
		}
	}
	x.row.Checked = x.answers["new"] + x.answers["new, lags"]
	x.t.Logf("answers: %v", x.answers)
	if x.answers["old"]+x.answers["in doubt"] == 0 {
		x.t.Error("the disk was never full")
	}
}

// fill takes all space but room, which a file keeps free meanwhile: to shorten
// one may itself need space.
func (x *tight) fill(room int) error {
	keep := x.ballast + ".keep"
	if err := os.WriteFile(keep, make([]byte, room), 0o600); err != nil {
		return err
	}
	if err := syncAll(x.dir); err != nil {
		return err
	}
	f, err := os.Create(x.ballast)
	if err != nil {
		return err
	}
	defer f.Close()
	for chunk := 1 << 20; chunk >= 512; {
		_, err := f.Write(make([]byte, chunk))
		if err == nil {
			err = f.Sync() // where space is reserved late, too
		}
		switch {
		case isFull(err):
			chunk /= 2
		case err != nil:
			return err
		}
	}
	return firstError(os.Remove(keep), syncAll(x.dir))
}

// patiently waits for space that a file system gives back late.
func (x *tight) patiently(do func() error) error {
	err := do()
	for tries := 0; isFull(err) && tries < 100; tries++ {
		time.Sleep(20 * time.Millisecond)
		if err := syncAll(x.dir); err != nil {
			return err
		}
		err = do()
	}
	return err
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// pairState is what the two files of a counter hold, or the one.
type pairState []map[string]int

func (p pairState) equal(q pairState) bool {
	return slices.EqualFunc(p, q, func(a, b map[string]int) bool { return maps.Equal(a, b) })
}

func (x *tight) plain(counter string) (pairState, error) {
	var p pairState
	for _, f := range filesOf(counter) {
		by, err := counts(x.dir, f)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		p = append(p, by)
	}
	return p, nil
}

func (x *tight) view(counter string) (pairState, error) {
	files := filesOf(counter)
	p := make(pairState, len(files))
	err := x.store.View(context.Background(), files, func(tx *txn.Tx) error {
		for i, f := range files {
			p[i] = nil
			if err := tx.Decode(f, "/by", &p[i]); err != nil && !errors.Is(err, txn.ErrNotFound) {
				return err
			}
		}
		return nil
	})
	return p, err
}

// try runs one transaction and judges its answer.
func (x *tight) try(counter string) error {
	old, err := x.view(counter)
	if err != nil {
		return fmt.Errorf("before: %w", err)
	}
	lagging, err := x.plain(counter) // older than what jtx shows, where a commit could not replace the file
	if err != nil {
		return fmt.Errorf("plain, before: %w", err)
	}
	_, lags, answer := increment(x.store, 0, counter)
	shown, err := x.plain(counter)
	if err != nil {
		return fmt.Errorf("plain, after %v: %w", answer, err)
	}
	seen, err := x.view(counter)
	if err != nil {
		return fmt.Errorf("view, after %v: %w", answer, err)
	}
	want := slices.Clone(old)
	for i := range want {
		want[i] = maps.Clone(old[i])
		if want[i] == nil {
			want[i] = map[string]int{}
		}
		want[i][nameOf(0)]++
	}
	isOld, isNew := seen.equal(old), seen.equal(want)
	x.answers[answerOf(answer, lags)]++
	x.row.Tried++
	switch {
	case answer == nil && !isNew, answer == nil && !lags && !shown.equal(want):
		return fmt.Errorf("success (lags: %v), but from %v it went to %v, a plain reader sees %v", lags, old, seen, shown)
	case answer == nil || errors.Is(answer, txn.ErrInDoubt) && (isOld || isNew):
		return nil
	case !isFull(answer):
		return fmt.Errorf("not an error of a full disk: %w", answer)
	case !isOld || !shown.equal(old) && !shown.equal(lagging):
		return fmt.Errorf("%w, but from %v it went to %v, a plain reader sees %v", answer, old, seen, shown)
	}
	return nil
}

func answerOf(err error, lags bool) string {
	switch {
	case lags:
		return "new, lags"
	case err == nil:
		return "new"
	case errors.Is(err, txn.ErrInDoubt):
		return "in doubt"
	}
	return "old"
}

// empty makes room again and goes on, with no step of repair in between.
func (x *tight) empty() error {
	if err := os.Remove(x.ballast); err != nil {
		return err
	}
	if err := x.patiently(x.probe); err != nil {
		return err
	}
	for _, counter := range []string{sharedCounter, pairCounter, soloCounter + "-0"} {
		if _, lags, err := increment(x.store, 0, counter); err != nil || lags {
			return fmt.Errorf("%s: lags %v, %w", counter, lags, err)
		}
	}
	if err := pairEqual(x.dir); err != nil {
		return err
	}
	if err := sweep(x.store, x.dir); err != nil {
		return err
	}
	if err := leftovers(x.dir); err != nil {
		return err
	}
	return verify(x.store, x.dir)
}

// probe tells whether there is room again.
func (x *tight) probe() error {
	err := os.WriteFile(x.ballast, make([]byte, 1<<20), 0o600)
	return firstError(err, syncAll(x.dir), os.Remove(x.ballast))
}

// leftovers looks for files that nobody would remove.
func leftovers(dir string) error {
	for _, pattern := range []string{".jtx-*", ".jtx.*", "*/.jtx-*", "*/.jtx.*"} {
		left, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(left) > 0 {
			return fmt.Errorf("left over: %q, %w", left, err)
		}
	}
	return nil
}
