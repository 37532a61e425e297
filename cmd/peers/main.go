package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"time"
)

var (
	judged  = flag.Bool("targets", false, "compare jtx with its targets instead; exit code 1 where one is missed")
	scaled  = flag.Bool("scale", false, "measure jtx over a tree of -files files instead, beside git and tar")
	many    = flag.Int("files", 100_000, "how many files the tree of -scale has")
	each    = flag.Duration("time", time.Second, "how long each row of work in one process is measured")
	turns   = flag.Int("turns", 50, "how often the processes of a row take turns")
	commits = flag.Int("commits", 500, "how many commits behind a long history are measured")
	crowd   = flag.Duration("crowd", time.Minute, "how long 16 processes and 64 goroutines work on the same files")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	if *scaled {
		return scale(os.Stdout, *many)
	}
	f := &figures{values: map[string]float64{}}
	err := errors.Join(
		f.bench(".", ".", "^BenchmarkSpeed$", each.String()),
		f.bench(root, "./cmd/jtx", "^BenchmarkProcess$/^(set|get)$", fmt.Sprintf("%dx", *turns)),
		// Several at once do dozens of operations in each turn.
		f.bench(root, "./cmd/jtx", "^BenchmarkProcess$/^counter$", fmt.Sprintf("%dx", max(1, *turns/5))),
	)
	if !*judged {
		return errors.Join(err, show(os.Stdout, f))
	}
	err = errors.Join(err,
		f.bench(root, "./txn", "^BenchmarkGrowth$", fmt.Sprintf("%dx", *commits)),
		f.bench(root, "./txn", "^BenchmarkMemory$", "1x"),
		f.crowd(*crowd),
	)
	missed, judgeErr := judge(os.Stdout, f)
	if err = errors.Join(err, judgeErr); err == nil && missed > 0 {
		err = fmt.Errorf("%d targets are missed", missed)
	}
	return err
}

// crowd is a test that passes or does not.
func (f *figures) crowd(d time.Duration) error {
	cmd := exec.Command("go", "test", "-C", root, "-count=1", "-timeout=0", "-v", "-run=^TestCrowd$", "./fuzz", "-fuzz.time="+d.String())
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	f.values["Crowd passed"] = 0
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("16 processes and 64 goroutines at once: %w", err)
	}
	f.values["Crowd passed"] = 1
	return nil
}
