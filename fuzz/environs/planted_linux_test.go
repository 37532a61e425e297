package environs

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// plants put something in the place of a file or a directory of jtx's, which moved
// outside is a copy of.
var plants = map[string]func(path, outside string, isDir bool) error{
	"a link to a copy of it": func(path, outside string, _ bool) error { return os.Symlink(outside, path) },
	"a dangling link":        func(path, outside string, _ bool) error { return os.Symlink(outside+".new", path) },
	"a FIFO":                 func(path, _ string, _ bool) error { return unix.Mkfifo(path, 0o666) },
	"a socket":               func(path, _ string, _ bool) error { return unix.Mknod(path, unix.S_IFSOCK|0o666, 0) },
	"the other kind": func(path, _ string, isDir bool) error {
		if isDir {
			return os.WriteFile(path, []byte("no directory"), 0o600)
		}
		return os.Mkdir(path, 0o700)
	},
}

// uses are verbs that come to all that is below .jtx.
var uses = []string{
	`jtx set a.json /v 9`, `jtx set new.json /v 9`, `jtx do '[{"file": "a.json", "set": {"/v": 8}}, {"file": "b.json", "set": {"/v": 9}}]'`,
	`jtx get a.json`, `jtx snapshot a.json b.json`, `jtx log`, `jtx verify`, `jtx status`, `jtx locks`, `jtx tx`, `jtx stats`,
	`jtx recover`, `jtx compact --keep-revs 1 a.json`, `jtx redact a.json /s`, `jtx config log-bytes 65536`, `jtx protect 'b*.json'`,
	`jtx abort $(cat $OUT/tx)`, `jtx mv b.json c.json`, `jtx rewrite --write s.sh`, `jtx init`, `jtx rm a.json`,
}

// TestPlanted puts links, FIFOs, sockets and what is of the wrong kind in the place of
// each file and directory below .jtx in turn. No verb waits for one, and none changes
// anything outside through a link.
func TestPlanted(t *testing.T) {
	names := belowMeta(t, plantable(t).dir)
	tried := 0
	for i, name := range names {
		for kind, plant := range plants {
			if !*all && (i+len(kind))%3 != 0 {
				continue
			}
			tried++
			t.Run(kind+" as "+name, func(t *testing.T) { usePlanted(t, name, plant) })
		}
	}
	t.Logf("%d plants in %d places", tried, len(names))
}

// plantable is a directory with as much below .jtx as there can be.
func plantable(t *testing.T) place {
	p := newPlace(t)
	o := p.run(t, `jtx put a.json '{"v": 1, "s": "a secret"}'; jtx set a.json /s '"none"'; jtx set b.json /v 1; jtx protect b.json
		printf '#!/bin/sh\njq .a=1 a.json >tmp && mv tmp a.json\n' >s.sh; cp s.sh s2.sh; jtx rewrite --write s2.sh; rm s2.sh
		jtx put l.json --value 1; jtx begin --lock l.json >$OUT/tx; printf '{' >a.json; jtx restore a.json
		for i in 1 2 3 4 5; do jtx config log-bytes 65536; jtx set a.json -m "$(head -c 30000 /dev/zero | tr '\0' x)" /v $i; done`)
	if o.exit != 0 {
		t.Fatalf("exit code %d: %s", o.exit, o.stderr)
	}
	return p
}

// belowMeta lists what is below .jtx. What is named by chance or time is left out: the
// next workspace has another one.
func belowMeta(t *testing.T, dir string) (names []string) {
	meta := filepath.Join(dir, ".jtx")
	err := filepath.WalkDir(meta, func(name string, d fs.DirEntry, err error) error {
		rel := strings.TrimPrefix(name, meta+"/")
		if err == nil && name != meta && !strings.ContainsAny(filepath.Base(rel), "TZ") && !strings.Contains(rel, "tx/") {
			names = append(names, rel)
		}
		return err
	})
	if err != nil || len(names) < 12 {
		t.Fatalf("%v: only %q", err, names)
	}
	return names
}

func usePlanted(t *testing.T, name string, plant func(path, outside string, isDir bool) error) {
	p := plantable(t)
	path, outside := filepath.Join(p.dir, ".jtx", name), filepath.Join(p.out, "outside")
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", path, outside).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := plant(path, outside, info.IsDir()); err != nil {
		t.Skip(err)
	}
	was := tree(t, outside)
	for _, script := range uses {
		o := p.run(t, script)
		if strings.Contains(o.stderr, "panic:") || o.exit < 0 {
			t.Errorf("%s: exit code %d: %s", script, o.exit, o.stderr)
		}
		if now := tree(t, outside); now != was {
			t.Fatalf("%s: outside is\n%s, was\n%s", script, now, was)
		}
	}
}

// tree is all that stands at and beside a name outside.
func tree(t *testing.T, path string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(filepath.Dir(path), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(name, path) {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %v %d %v", name, info.Mode(), info.Size(), info.ModTime())
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %q", data)
		}
		b.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
