package environs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/fuzz/disk"
)

// fileSystem is one on which the suite runs as it does on any disk. It is mounted in the
// first directory, may use the second, and goes with the test.
type fileSystem struct {
	name     string
	mount    func(t *testing.T, dir, aside string)
	modeless bool
	anyCase  bool   // its names don't tell case apart
	needs    string // a program
}

var mounts = []fileSystem{
	{name: "tmpfs", mount: func(t *testing.T, dir, _ string) {
		check(t, unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
	}},
	{name: "overlay", mount: func(t *testing.T, dir, aside string) {
		options := ""
		for _, part := range []string{"lower", "upper", "work"} {
			check(t, os.Mkdir(filepath.Join(aside, part), 0o755))
			options += "," + part + "dir=" + filepath.Join(aside, part)
		}
		if err := unix.Mount("overlay", dir, "overlay", 0, options[1:]); err != nil {
			t.Skip(err)
		}
	}},
	{name: "bindfs", needs: "bindfs", mount: func(t *testing.T, dir, aside string) {
		fuse(t, "bindfs", aside, dir)
	}},
	{name: "ntfs-3g", needs: "mkfs.ntfs", modeless: true, mount: func(t *testing.T, dir, aside string) {
		image := imageFile(t, aside, 64<<20)
		command(t, "mkfs.ntfs", "-q", "-F", "-f", image)
		fuse(t, "ntfs-3g", image, dir)
	}},
	{name: "ntfs-3g that ignores case", needs: "lowntfs-3g", modeless: true, anyCase: true, mount: func(t *testing.T, dir, aside string) {
		image := imageFile(t, aside, 64<<20)
		command(t, "mkfs.ntfs", "-q", "-F", "-f", image)
		fuse(t, "lowntfs-3g", image, dir, "-o", "ignore_case")
	}},
	{name: "exfat-fuse", needs: "mount.exfat-fuse", modeless: true, anyCase: true, mount: func(t *testing.T, dir, aside string) {
		image := imageFile(t, aside, 64<<20)
		command(t, "mkfs.exfat", image)
		if why := disk.NoLoop(); why != "" {
			t.Skip(why)
		}
		loop, err := exec.Command("losetup", "--find", "--show", image).Output()
		check(t, err)
		name := strings.TrimSpace(string(loop))
		t.Cleanup(func() { command(t, "losetup", "--detach", name) })
		fuse(t, "mount.exfat-fuse", name, dir)
	}},
	{name: "ext4 that ignores case", needs: "mkfs.ext4", anyCase: true, mount: func(t *testing.T, dir, aside string) {
		image := imageFile(t, aside, 64<<20)
		command(t, "mkfs.ext4", "-q", "-F", "-O", "casefold", image)
		mountImage(t, "ext4", image, dir)
		check(t, os.Mkdir(filepath.Join(dir, "work"), 0o755)) // a directory must be empty to ignore case
		command(t, "chattr", "+F", filepath.Join(dir, "work"))
	}},
	{name: "ext4", needs: "mkfs.ext4", mount: image("ext4")},
	{name: "xfs", needs: "mkfs.xfs", mount: image("xfs")},
	{name: "btrfs", needs: "mkfs.btrfs", mount: image("btrfs")},
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
}

// fuse mounts through a program. It skips where the kernel lets none.
func fuse(t *testing.T, name string, args ...string) {
	t.Helper()
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no FUSE here: %v", err)
	}
	check(t, f.Close())
	command(t, name, args...)
}

func imageFile(t *testing.T, dir string, size int64) string {
	t.Helper()
	name := filepath.Join(dir, "image")
	check(t, os.WriteFile(name, nil, 0o600))
	check(t, os.Truncate(name, size))
	return name
}

func image(kind string) func(t *testing.T, dir, aside string) {
	return func(t *testing.T, dir, aside string) {
		for _, k := range disk.Kinds {
			if k.Name != kind {
				continue
			}
			if why := k.Missing() + disk.NoLoop(); why != "" {
				t.Skip(why)
			}
			name := filepath.Join(aside, "image")
			check(t, k.Make(name, 0))
			check(t, k.Mount(name, dir, ""))
		}
	}
}

// mountImage mounts an image whose file system this kernel may not know in all it uses.
func mountImage(t *testing.T, kind, image, dir string) {
	if why := disk.NoLoop(); why != "" {
		t.Skip(why)
	}
	if out, err := exec.Command("mount", "-t", kind, "-o", "loop", image, dir).CombinedOutput(); err != nil {
		t.Skipf("this kernel mounts no such %s: %s", kind, out)
	}
}

// TestNamesOfAnyCase: where names don't tell case apart, two names of one file are one
// file, also in one transaction.
func TestNamesOfAnyCase(t *testing.T) {
	if why := disk.Unavailable(); why != "" {
		t.Skip(why)
	}
	for _, m := range mounts {
		if !m.anyCase {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			p := mounted(t, m)
			o := p.run(t, `mkdir Dir; jtx set Dir/a.json /v 1; jtx set dir/A.json /v 2
				jtx do --lock-timeout 2s '[{"file": "Dir/a.json", "set": {"/w": 1}}, {"file": "DIR/A.JSON", "set": {"/x": 2}}]'
				jtx verify; test "$(jtx log dir/a.JSON | wc -l)" = 3; test "$(jtx get Dir/a.json /x)" = 2; test "$(ls Dir/.jtx/files)" = a.json`)
			if o.exit != 0 {
				t.Errorf("exit code %d: %s", o.exit, o.stderr)
			}
		})
	}
}

// mounted is a place on a file system. It skips where that can't be had.
func mounted(t *testing.T, m fileSystem) place {
	t.Helper()
	if _, err := exec.LookPath(m.needs); m.needs != "" && err != nil {
		t.Skip(err)
	}
	p, aside := newPlace(t), scratch(t)
	at := p.dir
	m.mount(t, at, aside)
	t.Cleanup(func() { check(t, disk.Unmount(at)) })
	p.dir = filepath.Join(p.dir, "work") // the root has what the file system puts there
	check(t, os.MkdirAll(p.dir, 0o755))
	p.modeless = m.modeless
	return p
}

// TestMounts runs the suite on each file system.
func TestMounts(t *testing.T) {
	if why := disk.Unavailable(); why != "" {
		t.Skip(why)
	}
	want := onPlainDisk(t)
	for _, m := range mounts {
		t.Run(m.name, func(t *testing.T) { asUsual(t, mounted(t, m), want) })
	}
}
