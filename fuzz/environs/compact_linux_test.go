package environs

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/fuzz/disk"
)

// TestCompactFreesRoom: where less room is left than what is kept takes, compact drops what
// is old, and frees it.
func TestCompactFreesRoom(t *testing.T) {
	if why := disk.Unavailable(); why != "" {
		t.Skip(why)
	}
	const revs, kept, left = 120, 80, 256 << 10
	p := newPlace(t)
	check(t, unix.Mount("tmpfs", p.dir, "tmpfs", 0, "mode=755,size=4m"))
	t.Cleanup(func() { check(t, disk.Unmount(p.dir)) })
	p.must(t, fmt.Sprintf(`for n in $(seq %d); do jtx set a.json --string /v "$(head -c 24000 /dev/urandom | base64 -w 0)" ; jtx set a.json /n $n; done`, revs/2))
	was := p.journal(t)
	if was*kept/revs < 3*left {
		t.Fatalf("the journal has %d bytes, which is too little for what is tested", was)
	}
	filler := filepath.Join(p.dir, "filler")
	fill(t, filler, left)
	p.must(t, fmt.Sprintf("jtx compact --keep-revs %d a.json", kept))
	if now := p.journal(t); now > was*(kept+5)/revs {
		t.Errorf("%d bytes of %d are left", now, was)
	}
	// There is room again, and what is kept is whole.
	p.must(t, fmt.Sprintf(`jtx set a.json /w true; jtx verify; test "$(jtx get a.json@%d /n)" = %d`, revs-kept+6, (revs-kept+6)/2))
	check(t, os.Remove(filler))
}

// must runs a script that must succeed.
func (p place) must(t *testing.T, script string) {
	t.Helper()
	if o := p.run(t, "set -e\n"+script); o.exit != 0 {
		t.Fatalf("%s: exit code %d: %s", script, o.exit, o.stderr)
	}
}

// journal is how many bytes are below the files of a.json.
func (p place) journal(t *testing.T) (size int64) {
	t.Helper()
	check(t, filepath.Walk(filepath.Join(p.dir, ".jtx", "files"), func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return err
	}))
	return size
}
