package environs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/fuzz/disk"
)

// smallDisk is how large a file system is that runs full.
const smallDisk = 4 << 20

// TestFull: on a full disk each step does all that it does elsewhere, or it says that
// there is no room, with exit code 7, and has changed nothing. With room again it does
// what it always does.
func TestFull(t *testing.T) {
	if why := disk.Unavailable(); why != "" {
		t.Skip(why)
	}
	want := onPlainDisk(t)
	for _, left := range []int64{0, 4 << 10, 16 << 10} {
		t.Run(fmt.Sprint(left, " bytes are left"), func(t *testing.T) {
			p := newPlace(t)
			check(t, unix.Mount("tmpfs", p.dir, "tmpfs", 0, "mode=755,size=4m"))
			t.Cleanup(func() { check(t, disk.Unmount(p.dir)) })
			refused := 0
			for i, s := range steps {
				o, full := p.onFullDisk(t, s, left)
				if full {
					refused++
				}
				p.mustBeUsual(t, s, o, want[i], nil)
				if t.Failed() {
					return
				}
			}
			if refused == 0 && left == 0 {
				t.Error("nothing was refused: the disk was not full")
			}
			t.Logf("%d of %d steps were refused", refused, len(steps))
		})
	}
}

// onFullDisk runs a step on a full disk, and again where that refused it.
func (p place) onFullDisk(t *testing.T, s step, left int64) (o outcome, refused bool) {
	if s.before != "" {
		if o := p.run(t, s.before); o.exit != 0 {
			t.Fatalf("before %s: %s", s.name, o.stderr)
		}
	}
	if s.parts { // what is done of it keeps it from being done again
		return p.run(t, s.script), false
	}
	was, filler := p.files(t), filepath.Join(p.dir, "filler")
	fill(t, filler, left)
	o = p.run(t, s.script)
	check(t, os.Remove(filler))
	delete(o.files, "filler")
	if o.exit == 0 {
		return o, false
	}
	if o.exit != 7 || !strings.Contains(o.stderr, "error:") {
		t.Errorf("%s, with no room: exit code %d: %s", s.name, o.exit, o.stderr)
	}
	if d := difference(o.files, was); d != "" {
		t.Errorf("%s, with no room: %s", s.name, d)
	}
	p.run(t, `for tx in $(ls .jtx/tx 2>/dev/null); do jtx abort "$tx"; done`) // which it could not end
	return p.run(t, s.script), true
}

// fill writes to a file until the disk is full, but for so many bytes.
func fill(t *testing.T, name string, left int64) {
	t.Helper()
	f, err := os.Create(name)
	check(t, err)
	defer f.Close()
	page := bytes.Repeat([]byte{1}, 4<<10)
	size := int64(0)
	for size <= smallDisk {
		n, err := f.Write(page)
		size += int64(n)
		if errors.Is(err, unix.ENOSPC) {
			check(t, f.Truncate(max(size-left, 0)))
			return
		}
		check(t, err)
	}
	t.Fatal("the disk does not fill")
}

// TestReadOnlyMount: where nothing may be written nothing is, and each verb that only
// looks works.
func TestReadOnlyMount(t *testing.T) {
	if why := disk.Unavailable(); why != "" {
		t.Skip(why)
	}
	p := newPlace(t)
	check(t, unix.Mount("tmpfs", p.dir, "tmpfs", 0, "mode=755"))
	t.Cleanup(func() { check(t, disk.Unmount(p.dir)) })
	for _, s := range steps {
		if o := p.step(t, s); o.exit != 0 {
			t.Fatalf("%s: exit code %d: %s", s.name, o.exit, o.stderr)
		}
	}
	check(t, unix.Mount("", p.dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	nothingChanges(t, p)
	for _, s := range steps {
		if !s.reads {
			continue
		}
		if o := p.run(t, strings.ReplaceAll(s.script, "/saved", "/saved-again")); o.exit != 0 || strings.Contains(o.stderr, "error:") {
			t.Errorf("%s: exit code %d: %s", s.name, o.exit, o.stderr)
		}
	}
}
