package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// figures are what benchmarks reported: "Speed/writer/1KB/jtx-full xraw" and so on.
type figures struct {
	values map[string]float64
	cpu    string
}

func (f *figures) get(benchmark, unit string) (float64, bool) {
	v, ok := f.values[benchmark+" "+unit]
	return v, ok
}

// read takes in what go test -bench printed.
func (f *figures) read(r io.Reader) error {
	reader := benchfmt.NewReader(r, "go test")
	for reader.Scan() {
		res, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			continue // a line that has another use
		}
		f.cpu = res.GetConfig("cpu")
		for _, v := range res.Values {
			value, unit := v.Value, v.Unit
			if v.OrigUnit != "" {
				value, unit = v.OrigValue, v.OrigUnit
			}
			f.values[nameOf(res.Name)+" "+unit] = value
		}
	}
	return reader.Err()
}

// nameOf leaves out GOMAXPROCS.
func nameOf(n benchfmt.Name) string {
	name, parts := n.Parts()
	all := string(name)
	for _, p := range parts {
		if p[0] == '/' {
			all += string(p)
		}
	}
	return all
}

// root is jtx's own module, seen from this one's directory.
const root = "../.."

// bench runs benchmarks of a package, shows on stderr what they print, and reads it.
func (f *figures) bench(dir, pkg, pattern, benchtime string) error {
	cmd := exec.Command("go", "test", "-C", dir, "-run=^$", "-bench="+pattern, "-benchtime="+benchtime, "-timeout=0", pkg)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	readErr := f.read(io.TeeReader(out, os.Stderr))
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return readErr
}

// machine names what the figures are of.
func (f *figures) machine() string {
	kind := "unknown file system"
	if out, err := exec.Command("findmnt", "-n", "-o", "FSTYPE", "-T", os.TempDir()).Output(); err == nil {
		kind = strings.TrimSpace(string(out))
	}
	return fmt.Sprintf("%s, %d cores, %s, %s/%s, %s; the bare disk: %s a second", f.cpu, runtime.NumCPU(), kind, runtime.GOOS, runtime.GOARCH, runtime.Version(), f.disk())
}

// disk is the bare disk's rate, as the first row met it.
func (f *figures) disk() string {
	const row = "Speed/writer/1KB/jtx-full"
	ns, _ := f.get(row, "ns/op")
	x, ok := f.get(row, "xraw")
	if !ok {
		return "unknown"
	}
	return fmt.Sprintf("%.0f", 1e9/ns/x)
}
