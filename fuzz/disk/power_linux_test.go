package disk

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/fuzz/evidence"
)

func syncAll(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

const workers = 4

// behind draws whether the workers are write-behind in a round, and for how long their
// files may be behind. Those with a fault are not: a plain reader is to find it.
func behind(rng *rand.Rand, drop string) time.Duration {
	if drop != "" || rng.IntN(2) == 0 {
		return 0
	}
	return time.Duration(1+rng.IntN(50)) * time.Millisecond
}

// TestPowerCutByShutdown cuts the power of one image again and again while
// processes commit, and lets the next ones go on with what is left.
func TestPowerCutByShutdown(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		row := evidence.Start(t, l.kind.Name+": power cut by shutdown", "cuts")
		rng := drawn(t, row)
		c := newCutter(t, l, rng)
		rounds, acked := 0, 0
		for end := time.Now().Add(*timeFlag); time.Now().Before(end); rounds++ {
			n, err := c.round("", 0)
			if err != nil {
				t.Fatalf("round %d: %v", rounds, err)
			}
			acked += n
		}
		row.Tried, row.Checked = rounds, acked
		t.Logf("%d power cuts, %d acknowledged transactions checked", rounds, acked)
	})
}

// cutter cuts the power of one image.
type cutter struct {
	t     *testing.T
	l     *lab
	rng   *rand.Rand
	image string
	dir   string
	model *model
	boot  int
}

func newCutter(t *testing.T, l *lab, rng *rand.Rand) *cutter {
	if l.kind.Name == "btrfs" {
		t.Skip("btrfs has no shutdown call in most kernels: TestPowerCutByReplay cuts its power")
	}
	c := &cutter{t: t, l: l, rng: rng, image: l.image(t, 64<<20), model: newModel()}
	c.dir = l.mount(t, c.image, "")
	if err := furnish(c.dir); err != nil {
		t.Fatal(err)
	}
	return c
}

// round lets workers commit, cuts the power, and checks what is there after.
// With steps they are idle by then, after that many each.
func (c *cutter) round(drop string, steps int) (acked int, err error) {
	always := func() int { return 0 }
	j := job{Dir: c.dir, Seed: c.rng.Uint64(), Boot: c.boot, Drop: drop, Steps: steps, Behind: behind(c.rng, drop)}
	crew := hire(c.t, c.model, j, workers, always)
	if steps > 0 {
		crew.idle.Wait()
	} else {
		time.Sleep(time.Duration(c.rng.IntN(300)) * time.Millisecond)
	}
	ok, err := CutPower(c.dir)
	sig := syscall.Signal(0)
	if steps > 0 || err != nil || !ok {
		sig = syscall.SIGKILL
	}
	crew.dismiss(sig)
	if err != nil || !ok {
		return 0, fmt.Errorf("no shutdown: %w", err)
	}
	unmount(c.t, c.dir)
	c.l.mountAt(c.t, c.image, c.dir, "")
	if c.rng.IntN(2) == 0 {
		c.boot++ // else only the disk was gone, pulled out and put back
	}
	if err := c.model.check(c.dir, c.boot, 0); err != nil {
		return 0, fmt.Errorf("%w\nthe workers met: %q", err, crew.fails)
	}
	acked = c.model.acked(0)
	return acked, c.model.rebase(c.dir)
}

// TestShutdownFindsMissingSyncs is the proof that the test above can fail: a jtx
// that leaves out a kind of sync is found.
func TestShutdownFindsMissingSyncs(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		for drop := range drops {
			t.Run(drop, func(t *testing.T) {
				row := evidence.Start(t, l.kind.Name+": power cut by shutdown", "cuts")
				row.Wrong = "no sync of " + drop
				c := newCutter(t, l, drawn(t, row))
				for i := range 20 {
					if _, err := c.round(drop, 1+c.rng.IntN(4)); err != nil {
						row.Tried = i + 1
						row.Caught(1, err.Error())
						t.Logf("found by cut %d: %v", i+1, err)
						return
					}
				}
				t.Errorf("the missing syncs of %s were not found", drop)
			})
		}
	})
}

// TestPowerCutByReplay lets processes commit on a disk that remembers its writes,
// and looks at what power cuts at many moments may have left of them.
func TestPowerCutByReplay(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		needs(t, NoTape())
		row := evidence.Start(t, l.kind.Name+": power cut by replay of its writes", "disk states")
		rng := drawn(t, row)
		states, acked := 0, 0
		for end := time.Now().Add(*timeFlag); time.Now().Before(end); {
			r := record(t, l, rng, "", 0)
			for range 8 {
				n, err := r.cut(rng, r.first+rng.IntN(r.tape.Len()-r.first+1))
				if err != nil {
					t.Fatal(err)
				}
				states++
				acked += n
			}
		}
		row.Tried, row.Checked = states, acked
		t.Logf("%d disk states, %d acknowledged transactions checked", states, acked)
	})
}

// TestReplayFindsMissingSyncs is the proof that the test above can fail.
func TestReplayFindsMissingSyncs(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		needs(t, NoTape())
		for drop := range drops {
			t.Run(drop, func(t *testing.T) {
				row := evidence.Start(t, l.kind.Name+": power cut by replay of its writes", "disk states")
				row.Wrong = "no sync of " + drop
				rng := drawn(t, row)
				for i := range 20 {
					r := record(t, l, rng, drop, 1+rng.IntN(4))
					if _, err := r.cut(rng, r.tape.Len()); err != nil {
						row.Tried = i + 1
						row.Caught(1, err.Error())
						t.Logf("found by cut %d: %v", i+1, err)
						return
					}
				}
				t.Errorf("the missing syncs of %s were not found", drop)
			})
		}
	})
}

// recording is a run on a tape.
type recording struct {
	t     *testing.T
	l     *lab
	base  string // the image before the run
	tape  *Tape
	first int // the event from which the files are there
	model *model
}

// record runs workers for a while on a fresh file system.
func record(t *testing.T, l *lab, rng *rand.Rand, drop string, steps int) *recording {
	r := &recording{t: t, l: l, base: filepath.Join(l.dir, "base.img"), model: newModel()}
	image := l.image(t, 0)
	copySparse(t, image, r.base)
	shelf, err := os.MkdirTemp(l.dir, "tape")
	if err != nil {
		t.Fatal(err)
	}
	if r.tape, err = ServeTape(image, shelf); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { detach(shelf) })
	dir := l.mount(t, filepath.Join(shelf, tapeName), "")
	if err := furnish(dir); err != nil {
		t.Fatal(err)
	}
	r.first = r.tape.Len()
	crew := hire(t, r.model, job{Dir: dir, Seed: rng.Uint64(), Drop: drop, Steps: steps, Behind: behind(rng, drop)}, workers, r.tape.Len)
	if steps > 0 {
		crew.idle.Wait()
	} else {
		time.Sleep(200*time.Millisecond + time.Duration(rng.IntN(400))*time.Millisecond)
	}
	crew.dismiss(syscall.SIGKILL)
	// What is written from here on, by unmounting, is no part of the run.
	r.tape.Stop()
	unmount(t, dir)
	if err := r.tape.Close(); err != nil {
		t.Fatal(err)
	}
	return r
}

// cut checks one state that a power cut at an event may leave.
func (r *recording) cut(rng *rand.Rand, at int) (acked int, err error) {
	image := filepath.Join(r.l.dir, "cut.img")
	copySparse(r.t, r.base, image)
	f, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	if err := firstError(r.tape.Replay(f, at, rng), f.Close()); err != nil {
		return 0, err
	}
	dir := r.l.mount(r.t, image, "")
	defer unmount(r.t, dir)
	boot := rng.IntN(2) // 0: only the disk was gone
	if err := r.model.check(dir, boot, at); err != nil {
		return 0, fmt.Errorf("cut at event %d of %d, boot %d: %w", at, r.tape.Len(), boot, err)
	}
	return r.model.acked(at), nil
}

func copySparse(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "--sparse=always", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// detach lets go of what a failed test may have left mounted.
func detach(dir string) {
	if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil && !slices.Contains([]error{unix.EINVAL, unix.ENOENT}, err) {
		panic(err)
	}
}
