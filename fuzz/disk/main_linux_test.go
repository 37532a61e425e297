package disk

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/fuzz/evidence"
)

var (
	seedFlag = flag.Uint64("disk.seed", 0, "repeat the run that printed this seed; 0: a new one")
	timeFlag = flag.Duration("disk.time", time.Second, "how long each power-cut test goes on cutting")
)

// TestMain lets the test binary be a worker, and isolates it.
func TestMain(m *testing.M) {
	if text := os.Getenv(workerJob); text != "" {
		os.Exit(work(text))
	}
	if code, done := Isolate(); done {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func needs(t *testing.T, reasons ...string) {
	t.Helper()
	for _, why := range reasons {
		if why != "" {
			t.Skip(why)
		}
	}
}

// random prints the seed that repeats a failing run, as far as the moments at
// which the kernel writes can be repeated.
func random(t *testing.T) *rand.Rand { return drawn(t, &evidence.Row{}) }

// drawn is random, with the seed put into a row.
func drawn(t *testing.T, row *evidence.Row) *rand.Rand {
	row.Seed = *seedFlag
	if row.Seed == 0 {
		row.Seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-disk.seed=%d", row.Seed)
	return rand.New(rand.NewPCG(row.Seed, 1))
}

// lab is a directory for images and mounts.
type lab struct {
	dir  string
	kind Kind
}

func newLab(t *testing.T, k Kind) *lab {
	t.Helper()
	needs(t, Unavailable(), NoLoop(), k.Missing())
	return &lab{scratch(t), k}
}

func scratch(t *testing.T) string {
	dir, err := crashfs.ScratchDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func (l *lab) image(t *testing.T, size int64) string {
	image := filepath.Join(l.dir, l.kind.Name+".img")
	if err := l.kind.Make(image, size); err != nil {
		t.Fatal(err)
	}
	return image
}

// mount mounts an image until the test ends, or it is unmounted before.
func (l *lab) mount(t *testing.T, image, options string) string {
	t.Helper()
	dir, err := os.MkdirTemp(l.dir, "mnt")
	if err != nil {
		t.Fatal(err)
	}
	l.mountAt(t, image, dir, options)
	t.Cleanup(func() { detach(dir) })
	return dir
}

func (l *lab) mountAt(t *testing.T, image, dir, options string) {
	t.Helper()
	if err := l.kind.Mount(image, dir, options); err != nil {
		t.Fatal(err)
	}
}

func unmount(t *testing.T, dir string) {
	t.Helper()
	if err := Unmount(dir); err != nil {
		t.Fatal(err)
	}
}

// each runs a test on every kind of file system.
func each(t *testing.T, test func(t *testing.T, l *lab)) {
	for _, k := range Kinds {
		t.Run(k.Name, func(t *testing.T) { test(t, newLab(t, k)) })
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func bootOf(n int) [16]byte { return [16]byte{0xd1, byte(n), byte(n >> 8)} }

func nameOf(worker int) string { return fmt.Sprintf("w%d", worker) }
