package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/bench"
	"github.com/jtx-project/jtx/cmd/internal/cli"
)

func newBench(a *app) *cobra.Command {
	var each time.Duration
	cmd := &cobra.Command{
		Use:   "bench [DIR]",
		Short: "measure jtx here, beside other programs",
		Long: `Measures in DIR (default: the current directory), with files of its own that it
removes again, in less than a minute: what a program in Go reaches that keeps a
store open, and what processes reach that each make one change. Beside them stand
the bare disk, which appends 100 bytes and waits until they are on the medium,
and jq, flock and sqlite3 where they are installed. A line for each: the work;
with what; how often a second; how long half of them and 99 of 100 took at most;
the rate as a ratio to that of the bare disk, and to that of starting jtx; and
fsyncs of one change. Compare the ratios: times are those of a busy moment.`,
		Example: cli.Example(`jtx bench --time 20ms .`),
		Args:    cli.Words(0, 1),
	}
	cmd.Flags().DurationVar(&each, "time", bench.DefaultTime, "how long each line is measured")
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		if each <= 0 {
			return cli.Usagef("--time %s: want a time to spend", each)
		}
		exe, err := os.Executable()
		if err != nil {
			return err
		}
		report, err := bench.Run(a.Ctx, bench.Options{
			Dir: append(args, ".")[0], Program: exe, Arg0: os.Args[0], // a test binary is jtx by this name alone
			Time: each, Progress: a.Progress("bench"),
		})
		if errors.Is(err, fs.ErrNotExist) {
			return &cli.Error{Exit: cli.ExitNo, Err: err}
		}
		if err != nil {
			return err
		}
		return a.printBench(report)
	})
	return cmd
}

type benchRowJSON struct {
	Work      string   `json:"work"`
	With      string   `json:"with"`
	PerSecond float64  `json:"per_second"`
	P50       float64  `json:"p50_us"`
	P99       float64  `json:"p99_us"`
	XRaw      float64  `json:"x_raw,omitempty"`
	XStart    float64  `json:"x_start,omitempty"`
	Syncs     *float64 `json:"fsyncs,omitempty"`
}

type benchJSON struct {
	Dir        string         `json:"dir"`
	FileSystem string         `json:"file_system"`
	CPUs       int            `json:"cpus"`
	Rows       []benchRowJSON `json:"rows"`
}

func (a *app) printBench(r bench.Report) error {
	if a.JSON {
		out := benchJSON{cli.NewJSONFile(r.Dir).File, r.FS, r.CPUs, nil}
		for _, row := range r.Rows {
			out.Rows = append(out.Rows, benchRowJSON{row.Work, row.With, row.PerSecond, micros(row.P50), micros(row.P99), row.XRaw, row.XStart, row.Syncs})
		}
		return a.WriteJSON(out)
	}
	t := &cli.Table{Header: []string{"WORK", "WITH", "PER SECOND", "P50", "P99", "X RAW", "X START", "FSYNCS"}}
	for _, row := range r.Rows {
		syncs := "-"
		if row.Syncs != nil {
			syncs = fmt.Sprintf("%.3g", *row.Syncs)
		}
		t.Add(row.Work, row.With, fmt.Sprintf("%.0f", row.PerSecond), short(row.P50), short(row.P99), ratio(row.XRaw), ratio(row.XStart), syncs)
	}
	return a.Table(t)
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// ratio has two digits that count.
func ratio(x float64) string {
	switch {
	case x == 0:
		return "-"
	case x >= 10:
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.2g", x)
}

// short is a time in three digits or so.
func short(d time.Duration) string {
	switch {
	case d < 10*time.Microsecond:
		return d.Round(10 * time.Nanosecond).String()
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}
