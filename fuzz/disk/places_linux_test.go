package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/txntest"
)

// TestReadOnly lets a disk become read-only again and again while processes
// commit, and writable again: between two transactions, as a mount option.
func TestReadOnly(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		row := evidence.Start(t, "a disk becomes read-only", "times")
		rng := drawn(t, row)
		dir := l.mount(t, l.image(t, 64<<20), "")
		if err := furnish(dir); err != nil {
			t.Fatal(err)
		}
		m := newModel()
		rounds, acked := 0, 0
		for end := time.Now().Add(*timeFlag / 2); time.Now().Before(end); rounds++ {
			crew := hire(t, m, job{Dir: dir, Seed: rng.Uint64(), Fresh: true}, 2, func() int { return 0 })
			time.Sleep(time.Duration(rng.IntN(50)) * time.Millisecond)
			remountReadOnly(t, dir)
			crew.dismiss(0)
			for _, f := range crew.fails {
				if !strings.Contains(f, syscall.EROFS.Error()) || strings.HasPrefix(f, "doubt") {
					t.Errorf("round %d: a worker met %s", rounds, f)
				}
			}
			if err := readOnlyCheck(dir, m); err != nil {
				t.Fatalf("round %d, read-only: %v", rounds, err)
			}
			if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_NOATIME, ""); err != nil {
				t.Fatal(err)
			}
			if err := m.check(dir, 0, 0); err != nil {
				t.Fatalf("round %d, writable again: %v", rounds, err)
			}
			acked += m.acked(0)
			if err := m.rebase(dir); err != nil {
				t.Fatal(err)
			}
		}
		row.Tried, row.Checked = rounds, acked
		t.Logf("%d times, %d acknowledged transactions checked", rounds, acked)
	})
}

// remountReadOnly waits for an instant at which no file is open for writing: the
// kernel asks for one.
func remountReadOnly(t *testing.T, dir string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_NOATIME, "")
		if err == nil {
			return
		}
		if !errors.Is(err, unix.EBUSY) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func readOnlyCheck(dir string, m *model) error {
	if err := plain(dir, m.bounds(0), func(b bounds) int { return b.shown }); err != nil {
		return err
	}
	s, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{Boot: bootOf(0)}))
	if err != nil {
		return err
	}
	defer s.Close()
	if err := inStep(s); err != nil {
		return err
	}
	_, _, err = increment(s, 0, pairCounter)
	if !errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("a transaction was answered: %w", err)
	}
	return nil
}

// TestJournalAborted lets ext4 find an error in itself while processes commit: it
// turns read-only at that instant, and drops what its log has not on disk.
func TestJournalAborted(t *testing.T) {
	l := newLab(t, Kinds[0])
	rng := random(t)
	image := l.image(t, 64<<20)
	dir := l.mount(t, image, "errors=remount-ro")
	if err := furnish(dir); err != nil {
		t.Fatal(err)
	}
	m := newModel()
	for round := range 4 {
		crew := hire(t, m, job{Dir: dir, Seed: rng.Uint64()}, workers, func() int { return 0 })
		time.Sleep(time.Duration(rng.IntN(150)) * time.Millisecond)
		triggerError(t, dir)
		crew.dismiss(0)
		if err := plain(dir, m.bounds(0), func(b bounds) int { return b.shown }); err != nil {
			t.Fatalf("round %d, read-only: %v", round, err)
		}
		unmount(t, dir)
		l.mountAt(t, image, dir, "errors=remount-ro")
		if err := m.check(dir, 0, 0); err != nil {
			t.Fatalf("round %d: %v\nthe workers met: %q", round, err, crew.fails)
		}
		if err := m.rebase(dir); err != nil {
			t.Fatal(err)
		}
	}
}

func triggerError(t *testing.T, dir string) {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		t.Fatal(err)
	}
	dev, err := os.Readlink(fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev)))
	if err != nil {
		t.Skip(err)
	}
	trigger := filepath.Join("/sys/fs/ext4", filepath.Base(dev), "trigger_fs_error")
	if err := os.WriteFile(trigger, []byte("1"), 0); err != nil {
		t.Skip(err)
	}
}

// place is a mount on which a store is to work, without power cuts.
type place struct {
	name   string
	fstype string
	// options of the mount, given a directory for what it needs.
	options func(dir string) string
}

var places = []place{
	{"tmpfs", "tmpfs", func(string) string { return "size=64m" }},
	{"ramfs", "ramfs", func(string) string { return "" }},
	{"overlayfs", "overlay", func(dir string) string {
		return fmt.Sprintf("lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", dir, dir, dir)
	}},
}

// TestPlaces runs processes on file systems that are not disks. On the overlay
// the files come from its lower layer, and change their inodes when first written.
func TestPlaces(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			needs(t, Unavailable())
			dir := scratch(t)
			mnt := filepath.Join(dir, "mnt")
			lower := filepath.Join(dir, "lower")
			for _, d := range []string{mnt, lower, filepath.Join(dir, "upper"), filepath.Join(dir, "work")} {
				if err := os.Mkdir(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := furnish(lower); err != nil {
				t.Fatal(err)
			}
			if err := unix.Mount("none", mnt, p.fstype, 0, p.options(dir)); err != nil {
				t.Skipf("mounting %s: %v", p.fstype, err)
			}
			t.Cleanup(func() { detach(mnt) })
			if p.fstype != "overlay" {
				if err := furnish(mnt); err != nil {
					t.Fatal(err)
				}
			}
			kill(t, mnt)
		})
	}
}

// kill lets processes commit, kills them, and checks, a few times.
func kill(t *testing.T, dir string) {
	rng := random(t)
	m := newModel()
	for range 3 {
		crew := hire(t, m, job{Dir: dir, Seed: rng.Uint64()}, workers, func() int { return 0 })
		time.Sleep(100*time.Millisecond + time.Duration(rng.IntN(100))*time.Millisecond)
		crew.dismiss(syscall.SIGKILL)
		if err := m.check(dir, 0, 0); err != nil {
			t.Fatalf("%v\nthe workers met: %q", err, crew.fails)
		}
		if len(crew.fails) > 0 {
			t.Fatalf("the workers met: %q", crew.fails)
		}
		if err := m.rebase(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMountedFile changes a file that is a mount point, as files in containers
// often are: it can't be renamed over.
func TestMountedFile(t *testing.T) {
	needs(t, Unavailable())
	dir := scratch(t)
	outside, inside := filepath.Join(dir, "outside.json"), filepath.Join(dir, "in", "config.json")
	if err := os.Mkdir(filepath.Dir(inside), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{outside, inside} {
		if err := os.WriteFile(name, []byte("{\"v\": 0}\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mount(outside, inside, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { detach(inside) })
	s, err := txn.Open(dir, txn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	other := filepath.Join(dir, "in", "other.json")
	for v := 1; v <= 3; v++ {
		if _, err := s.Do(context.Background(), []string{inside, other}, func(tx *txn.Tx) error {
			return firstError(tx.Set(inside, "/v", v), tx.Set(other, "/v", v))
		}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{outside, inside} {
			data, err := os.ReadFile(name)
			if err != nil || string(data) != fmt.Sprintf("{\"v\": %d}\n", v) {
				t.Fatalf("%s: %q, %v", name, data, err)
			}
		}
	}
	checkInPlace(t, s, inside)
	if err := verify(s, dir); err != nil {
		t.Error(err)
	}
	if _, err := s.Do(context.Background(), []string{inside}, func(tx *txn.Tx) error { return tx.Remove(inside) }); !errors.Is(err, txn.ErrInvalid) {
		t.Errorf("removing a mount point: %v", err)
	}
	// Moved away and back, it is an ordinary file again.
	if err := unix.Unmount(inside, 0); err != nil {
		t.Fatal(err)
	}
	if err := txn.Do([]string{inside}, func(tx *txn.Tx) error { return tx.Set(inside, "/v", 9) }); err != nil {
		t.Fatal(err)
	}
	if err := verify(s, dir); err != nil {
		t.Error(err)
	}
}

func checkInPlace(t *testing.T, s *txn.Store, name string) {
	t.Helper()
	st, err := admin.Status(context.Background(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range st.Files {
		if want := f.File == name; f.InPlace != want || f.Condition != "clean" {
			t.Errorf("status says of %s: in place %v, %s", f.File, f.InPlace, f.Condition)
		}
	}
}
