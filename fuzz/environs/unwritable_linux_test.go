package environs

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/fuzz/disk"
)

// unwritable are the ways in which a.json, whose directory the caller may write, can't
// be replaced. Each makes it so until the test ends.
var unwritable = []struct {
	name string
	make func(t *testing.T, p *place)
	// inPlace: it can be written in place.
	inPlace bool
	// others: the file is somebody else's, and so is its history.
	others bool
	// whole: the directory can't be written either.
	whole bool
}{
	{name: "immutable", make: attribute("a.json", "i")},
	{name: "append-only", make: attribute("a.json", "a")},
	{name: "in an append-only directory", make: attribute(".", "a"), inPlace: true},
	{name: "in an immutable directory", make: attribute(".", "i"), inPlace: true},
	{name: "a read-only mount of the file", make: readOnly("a.json")},
	{name: "a read-only mount of its directory", make: readOnly("."), whole: true},
	{name: "another user's in a sticky directory", make: sticky, inPlace: true, others: true},
}

func attribute(name, letter string) func(*testing.T, *place) {
	return func(t *testing.T, p *place) {
		path := filepath.Join(p.dir, name)
		if out, err := exec.Command("chattr", "+"+letter, path).CombinedOutput(); err != nil {
			t.Skipf("no chattr here: %v: %s", err, out)
		}
		t.Cleanup(func() {
			if out, err := exec.Command("chattr", "-"+letter, path).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

func readOnly(name string) func(*testing.T, *place) {
	return func(t *testing.T, p *place) {
		if why := disk.Unavailable(); why != "" {
			t.Skip(why)
		}
		path := filepath.Join(p.dir, name)
		if err := unix.Mount(path, path, "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := disk.Unmount(path); err != nil {
				t.Error(err)
			}
		})
		if err := unix.Mount("", path, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
	}
}

const nobody = 65534

// sticky makes the directory one that all may write, and the caller somebody who owns
// the journals and all files in it but one.
func sticky(t *testing.T, p *place) {
	if os.Geteuid() != 0 {
		t.Skip("only root may be somebody else")
	}
	for name, mode := range map[string]os.FileMode{filepath.Dir(p.dir): 0o711, jtxDir: 0o755, p.dir: os.ModeSticky | 0o777, filepath.Join(p.dir, "a.json"): 0o666} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{".jtx", "b.json"} {
		if out, err := exec.Command("chown", "-R", "nobody", filepath.Join(p.dir, name)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if err := os.Chmod(p.out, 0o777); err != nil {
		t.Fatal(err)
	}
	p.wrap = func(cmd *exec.Cmd) { cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody} }
}

// attempts are all ways to change a.json, alone or with b.json.
var attempts = map[string]string{
	"set":                   `jtx set a.json /v 9`,
	"set at journal":        `jtx set --durability journal a.json /v 9`,
	"set at none":           `jtx set --durability none a.json /v 9`,
	"put":                   `jtx put a.json '{"v": 9}'`,
	"del":                   `jtx del a.json /w`,
	"patch":                 `jtx patch a.json '[{"op": "remove", "path": "/w"}]'`,
	"merge":                 `jtx merge a.json '{"v": 9}'`,
	"update":                `jtx update a.json '.v = 9'`,
	"pipe":                  `jtx pipe a.json -- tr 3 9`,
	"edit":                  `EDITOR='sh -c "echo {} >\$0"' jtx edit a.json`,
	"rm":                    `jtx rm a.json`,
	"mv away":               `jtx mv a.json c.json`,
	"mv over":               `jtx mv -f b.json a.json`,
	"cp over":               `jtx cp -f b.json a.json`,
	"undo":                  `jtx undo $(cat $OUT/tx)`,
	"restore":               `jtx restore a.json@1`,
	"restore all":           `jtx restore --all --at $(cat $OUT/tx)`,
	"restore from a backup": `jtx restore --from $OUT/saved a.json`,
	"do, it is the first":   `jtx do '[{"file": "a.json", "set": {"/v": 9}}, {"file": "b.json", "set": {"/v": 9}}]'`,
	"do, it is the last":    `jtx do '[{"file": "0.json", "put": 1}, {"file": "a.json", "set": {"/v": 9}}]'`,
	"run":                   `jtx run a.json b.json -- sh -c 'jtx set b.json /v 9; jtx set a.json /v 9'`,
	"begin, commit":         `tx=$(jtx begin); jtx set --tx $tx b.json /v 9; jtx set --tx $tx a.json /v 9; jtx commit $tx`,
	"set in place":          `jtx set --in-place a.json /v 9`,
	"a patch of a pipe":     `echo '[{"op": "remove", "path": "/w"}]' | jtx patch a.json`,
}

// historical attempts name a version or a transaction of the file's history.
var historical = []string{"undo", "restore", "restore all"}

// TestUnwritable: whoever may change a file's directory, but not the file, is told so
// before anything is committed.
func TestUnwritable(t *testing.T) {
	for _, u := range unwritable {
		t.Run(u.name, func(t *testing.T) {
			p := newPlace(t)
			p.run(t, `jtx put a.json '{"v": 1, "w": 3}'; jtx set b.json -p /v 1; jtx backup $OUT/saved
				jtx set a.json /v 3; tx=$(jtx set a.json /w 2); echo ${tx%% *} >$OUT/tx; jtx set b.json /v 2; jtx set a.json /x 1`)
			u.make(t, &p)
			was, log := p.files(t), p.log(t)
			if len(was) != 2 {
				t.Fatalf("not prepared: %v", was)
			}
			untouched := was["a.json"]
			for name, script := range attempts {
				if u.inPlace && strings.Contains(script, "--in-place") {
					continue
				}
				o := p.run(t, script)
				if u.others && slices.Contains(historical, name) && o.exit == 1 && strings.Contains(o.stderr, "error:") {
					o.exit = 7 // the history of somebody else's file is not the caller's to see: the answer is no
				}
				mounted := o.exit == 5 && strings.Contains(o.stderr, "is a mount point")
				if o.exit != 7 && !mounted || !strings.Contains(o.stderr, "error:") {
					t.Errorf("%s: exit code %d: %s", name, o.exit, o.stderr)
				}
				if name == "restore all" {
					was, log = p.files(t), p.log(t) // what can't be written is named, the others come back
					if was["a.json"] != untouched {
						t.Fatalf("%s: a.json is %q", name, was["a.json"])
					}
				}
				if d := difference(o.files, was); d != "" {
					t.Fatalf("%s: %s", name, d)
				}
				if now := p.log(t); now != log {
					t.Fatalf("%s: it is in the history:\n%s", name, now)
				}
			}
			if o := p.run(t, `jtx verify`); o.exit != 0 {
				t.Errorf("verify: exit code %d: %s", o.exit, o.stderr)
			}
		})
	}
}

// log is the history of both files.
func (p place) log(t *testing.T) string {
	t.Helper()
	o := p.run(t, `jtx log >$OUT/log`)
	if o.exit != 0 {
		t.Fatalf("log: exit code %d: %s", o.exit, o.stderr)
	}
	text, err := os.ReadFile(filepath.Join(p.out, "log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
