package main

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// This is jtx over a tree of very many small files, beside git and tar in the same run, and
// beside jtx over a few. Only the ratios mean anything.

// few is what a verb over many files is compared with.
const few = 100

// tree is a tree of tracked files, which git has too.
type tree struct {
	dir, jtx string
	files    int
	touch    time.Duration // the first touch of all by jtx,
	gitTouch time.Duration // and by git
	rss      int64         // the most that any verb had resident, in bytes
	rssOf    string        // that verb
	err      error         // the first
}

// scale prints the table of what is to be reached over a tree of n files.
func scale(w io.Writer, n int) error {
	temp, err := os.MkdirTemp("", "jtx-scale")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	jtx := filepath.Join(temp, "jtx")
	build := exec.Command("go", "build", "-C", root, "-o", jtx, "./cmd/jtx")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build ./cmd/jtx: %w", err)
	}
	small, large := &tree{dir: filepath.Join(temp, "small"), jtx: jtx, files: few}, &tree{dir: filepath.Join(temp, "large"), jtx: jtx, files: n}
	for _, t := range []*tree{small, large} {
		if err := t.make(); err != nil {
			return err
		}
	}
	text := scaleTable(small, large, temp)
	if err := errors.Join(small.err, large.err); err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

// name is that of the i-th file: a hundred in each directory.
func name(i int) string { return fmt.Sprintf("d%05d/f%06d.json", i/100, i) }

// make makes the files, and has git and jtx touch each for the first time.
func (t *tree) make() error {
	pad := strings.Repeat("x", 300)
	for i := range t.files {
		path := filepath.Join(t.dir, name(i))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, fmt.Appendf(nil, "{\n \"n\": %d,\n \"name\": \"file %d\",\n \"text\": %q\n}\n", i, i, pad), 0o644); err != nil {
			return err
		}
	}
	t.run("git", "init", "-q")
	t.run("git", "config", "user.name", "scale")
	t.run("git", "config", "user.email", "scale@example.org")
	t.gitTouch = t.run("git", "-c", "core.fsync=all", "add", "-A")
	t.run("git", "commit", "-qm", "all")
	t.run(t.jtx, "init")
	t.touch = t.run(t.jtx, "protect", "-q", "**/*.json")
	return t.err
}

// run runs a command in the tree, and tells how long it took.
func (t *tree) run(name string, args ...string) time.Duration {
	var said strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stderr = t.dir, &said
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	if err != nil && t.err == nil {
		t.err = fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, said.String())
	}
	if use, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && name == t.jtx && use.Maxrss<<10 > t.rss {
		t.rss, t.rssOf = use.Maxrss<<10, args[0]
	}
	return took
}

// verb is the fastest of some runs of a verb of jtx.
func (t *tree) verb(args ...string) time.Duration {
	best := t.run(t.jtx, args...)
	for range 4 {
		if best > time.Second {
			break
		}
		best = min(best, t.run(t.jtx, args...))
	}
	return best
}

func (t *tree) git(args ...string) time.Duration {
	t.run("git", args...)
	return min(t.run("git", args...), t.run("git", args...))
}

// id is that of a transaction of the file in the middle.
func (t *tree) id() string {
	cmd := exec.Command(t.jtx, "set", name(t.files/2), "/n", fmt.Sprint(time.Now().UnixNano()))
	cmd.Dir = t.dir
	out, err := cmd.Output()
	if err != nil && t.err == nil {
		t.err = fmt.Errorf("jtx set: %w", err)
	}
	id, _, _ := strings.Cut(string(out), " ")
	return id
}

// ready is how long a watch takes until it tells of a commit.
func (t *tree) ready() time.Duration {
	cmd := exec.Command(t.jtx, "watch")
	cmd.Dir = t.dir
	out, err := cmd.StdoutPipe()
	began := time.Now()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.err = errors.Join(t.err, err)
		return 0
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		_, _ = bufio.NewReader(out).ReadString('\n') // or its end
	}()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		t.id()
		select {
		case <-told:
			tick.Stop()
			took := time.Since(began)
			_ = cmd.Process.Kill() // it is over in any case
			_ = cmd.Wait()
			return took
		case <-tick.C:
		}
	}
}

// read reads and hashes all files and, where tar is not nil, writes them there.
func (t *tree) read(dest *tar.Writer) (took time.Duration) {
	began := time.Now()
	for i := range t.files {
		data, err := os.ReadFile(filepath.Join(t.dir, name(i)))
		if err == nil && dest != nil {
			err = dest.WriteHeader(&tar.Header{Name: name(i), Mode: 0o644, Size: int64(len(data))})
			if err == nil {
				_, err = dest.Write(data)
			}
		}
		if err != nil && t.err == nil {
			t.err = err
		}
		sha256.Sum256(data)
	}
	return time.Since(began)
}

// below counts the inodes and bytes below .jtx.
func (t *tree) below() (inodes, bytes int64) {
	err := filepath.WalkDir(filepath.Join(t.dir, ".jtx"), func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		inodes++
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			bytes += st.Blocks * 512
		}
		return nil
	})
	t.err = errors.Join(t.err, err)
	return inodes, bytes
}

// scaleTable measures, and makes the table.
func scaleTable(small, large *tree, temp string) string {
	var tab table
	tab.header(fmt.Sprintf("%d files", large.files), "jtx", "beside it", "ratio", "at most", "")
	row := func(what string, took, beside time.Duration, of string, most float64) {
		ratio, verdict := float64(took)/float64(max(beside, 1)), "met"
		if ratio > most {
			verdict = "missed"
		}
		tab.row(what, fmt.Sprint(took.Round(100*time.Microsecond)), fmt.Sprintf("%v, %s", beside.Round(100*time.Microsecond), of), fmt.Sprintf("%.2f", ratio), fmt.Sprint(most), verdict)
	}
	file := func(t *tree) string { return name(t.files / 3) }
	ids := map[*tree]string{small: small.id(), large: large.id()}
	for _, v := range []struct {
		what string
		args func(*tree) []string
	}{
		{"`get`", func(t *tree) []string { return []string{"get", file(t), "/n"} }},
		{"`set`", func(t *tree) []string { return []string{"set", file(t), "/n", fmt.Sprint(time.Now().UnixNano())} }},
		{"`log FILE`", func(t *tree) []string { return []string{"log", file(t)} }},
		{"`status FILE`", func(t *tree) []string { return []string{"status", file(t)} }},
		{"`verify FILE`", func(t *tree) []string { return []string{"verify", file(t)} }},
		{"`show TX`", func(t *tree) []string { return []string{"show", ids[t]} }},
		{"`log -n 10`", func(*tree) []string { return []string{"log", "-n", "10"} }},
		{"`tx`", func(*tree) []string { return []string{"tx"} }},
		{"`locks`", func(*tree) []string { return []string{"locks"} }},
	} {
		row(v.what, large.verb(v.args(large)...), small.verb(v.args(small)...), fmt.Sprintf("%d files", few), 1.3)
	}
	row("`undo TX`", large.run(large.jtx, "undo", "-q", ids[large]), small.run(small.jtx, "undo", "-q", ids[small]), fmt.Sprintf("%d files", few), 1.3)
	row("`watch` until it tells of a commit", large.ready(), small.ready(), fmt.Sprintf("%d files", few), 1.3)
	row("`status`", large.verb("status"), large.git("status", "--short"), "`git status`", 3)
	row("`verify`", large.verb("verify"), large.read(nil), "reading and hashing", 3)
	row("`recover`", large.verb("recover"), large.read(nil), "reading and hashing", 3)
	archive, err := os.Create(filepath.Join(temp, "tar"))
	large.err = errors.Join(large.err, err)
	row("`backup x.tar`", large.run(large.jtx, "backup", filepath.Join(temp, "b.tar")), large.read(tar.NewWriter(archive)), "archive/tar", 3)
	large.err = errors.Join(large.err, archive.Close())
	row("`log`", large.verb("log"), large.git("log", "--stat"), "`git log --stat`", 3)
	row("first touch of all", large.touch, large.gitTouch, "`git -c core.fsync=all add`", 5)
	met := func(ok bool) string {
		if ok {
			return "met"
		}
		return "missed"
	}
	tab.row("resident, `"+large.rssOf+"`", fmt.Sprintf("%d MB", large.rss>>20), "", "", "100 MB", met(large.rss <= 100<<20))
	inodes, bytes := large.below()
	perFile, kb := float64(inodes)/float64(large.files), float64(bytes)/float64(large.files)/1024
	tab.row("below `.jtx`, a file", fmt.Sprintf("%.2f inodes, %.1f KB", perFile, kb), "", "", "3 inodes, 12 KB", met(perFile <= 3.01 && kb <= 12.3))
	return tab.String()
}
