package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

func newStats(a *app) *cobra.Command {
	var since time.Duration
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "sum up the log of operations",
		Long: `Sums up what the log of operations has of the workspaces at, above and below the
current directory: how many changes, how long they took and waited (half of them,
and 99 of 100, at most so long), how many met a conflict, a lock or an error. In
all, by day and by file. jtx config log-bytes says how far back the log goes.`,
		Example: cli.Example(`jtx stats`, `jtx stats --since 24h --json`),
		Args:    cli.Words(0, 0),
	}
	cmd.Flags().DurationVar(&since, "since", 0, "only the last `TIME`, such as 24h; 0: all")
	cmd.RunE = a.Verb(func(*cobra.Command, []string) error {
		if since < 0 {
			return cli.Usagef("--since %s: a time can't be negative", since)
		}
		s, err := a.Store(txn.Options{})
		if err != nil {
			return err
		}
		var from time.Time
		if since > 0 {
			from = time.Now().Add(-since)
		}
		ops, err := admin.Operations(s, from)
		if err != nil {
			return err
		}
		return a.printStats(summarize(ops))
	})
	return cmd
}

// summary is statistics over some operations. Times are microseconds.
type summary struct {
	What      string   `json:"what"`
	Total     int      `json:"operations"`
	PerHour   *float64 `json:"per_hour"` // null for less than rateSpan
	P50       int64    `json:"p50_us"`
	P99       int64    `json:"p99_us"`
	WaitP50   int64    `json:"wait_p50_us"`
	WaitP99   int64    `json:"wait_p99_us"`
	Conflicts int      `json:"conflicts"`
	Locked    int      `json:"locked"`
	Errors    int      `json:"errors"`
}

type statistics struct {
	All   summary   `json:"all"`
	Days  []summary `json:"days"`
	Files []summary `json:"files"`
}

func summarize(ops []admin.Operation) statistics {
	days, files := map[string][]admin.Operation{}, map[string][]admin.Operation{}
	for _, op := range ops {
		day := op.Time.UTC().Format(time.DateOnly)
		days[day] = append(days[day], op)
		for _, f := range op.Files {
			files[f] = append(files[f], op)
		}
	}
	st := statistics{All: sumOf("all", ops), Days: []summary{}, Files: []summary{}}
	for _, day := range sortedKeys(days) {
		st.Days = append(st.Days, sumOf(day, days[day]))
	}
	for _, f := range sortedKeys(files) {
		st.Files = append(st.Files, sumOf(cli.Shown(f), files[f]))
	}
	return st
}

func sumOf(what string, ops []admin.Operation) summary {
	s := summary{What: what, Total: len(ops)}
	var total, wait []int64
	for _, op := range ops {
		total, wait = append(total, op.TotalMicros), append(wait, op.WaitMicros)
		switch op.Outcome {
		case "ok":
		case "conflict":
			s.Conflicts++
		case "locked":
			s.Locked++
		default:
			s.Errors++
		}
	}
	s.P50, s.P99 = percentile(total, 50), percentile(total, 99)
	s.WaitP50, s.WaitP99 = percentile(wait, 50), percentile(wait, 99)
	if len(ops) > 1 {
		if span := ops[len(ops)-1].Time.Sub(ops[0].Time); span >= rateSpan {
			rate := float64(len(ops)) / span.Hours()
			s.PerHour = &rate
		}
	}
	return s
}

// rateSpan is the least time from which a rate for an hour is told.
const rateSpan = 10 * time.Minute

func rateText(perHour *float64) string {
	if perHour == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", *perHour)
}

// percentile is the least of the values that p of 100 are not above; 0 for none.
func percentile(values []int64, p int) int64 {
	if len(values) == 0 {
		return 0
	}
	slices.SortFunc(values, cmp.Compare[int64])
	return values[(len(values)*p+99)/100-1]
}

func (a *app) printStats(st statistics) error {
	switch {
	case a.JSON:
		return a.WriteJSON(st)
	case st.All.Total == 0:
		a.Note("nothing is logged")
		return nil
	}
	// So short that the numbers fit into 80 columns.
	t := &cli.Table{Header: []string{"WHAT", "CALLS", "/HOUR", "P50", "P99", "WAIT50", "WAIT99", "CONFL", "LOCKED", "ERR"}}
	for _, s := range slices.Concat([]summary{st.All}, st.Days, st.Files) {
		t.Add(cli.QuoteWord(s.What), strconv.Itoa(s.Total), rateText(s.PerHour), millis(s.P50), millis(s.P99),
			millis(s.WaitP50), millis(s.WaitP99), strconv.Itoa(s.Conflicts), strconv.Itoa(s.Locked), strconv.Itoa(s.Errors))
	}
	return a.Table(t)
}

func millis(us int64) string { return fmt.Sprintf("%.1fms", float64(us)/1000) }
