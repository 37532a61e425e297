package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// Op is what the processes of a race do with the number.
type Op int

const (
	Set Op = iota
	Get
	Add // by several at once
)

// Race is work for which a process is started each time. The contenders take turns,
// so that all of them meet the same disturbances.
type Race struct {
	Title   string
	Op      Op
	Size    int // of the document, in bytes
	Workers int // processes at once
}

// Races are those that users are shown.
func Races() []Race {
	return []Race{
		{"a process sets a field, 1KB", Set, measure.Small, 1},
		{"a process sets a field, 100KB", Set, measure.Middle, 1},
		{"a process reads a field, 1KB", Get, measure.Small, 1},
		{"5 processes add to one number", Add, measure.Small, 5},
	}
}

// Lap is what one contender did.
type Lap struct {
	Contender
	Times measure.Times
	Took  time.Duration // less than the sum of Times where several worked at once
	Dir   string        // where its document is
	done  atomic.Int64
}

// Rate is operations a second.
func (l *Lap) Rate() float64 { return measure.Rate(len(l.Times), l.Took) }

// Run lets contenders take turns until more says no; those that can't do the work,
// or are not installed, are left out. It fails where an addition was lost.
func (r Race) Run(ctx context.Context, dir string, contenders []Contender, more func() bool) ([]*Lap, error) {
	var laps []*Lap
	for _, c := range contenders {
		l := &Lap{Contender: c}
		if !c.Installed() || l.Words(r.Op) == nil {
			continue
		}
		var err error
		if l.Dir, err = os.MkdirTemp(dir, ""); err != nil {
			return nil, err
		}
		if err := c.Prepare(ctx, l.Dir, r.Size); err != nil {
			return nil, err
		}
		if err := l.once(ctx, r.Op); err != nil { // what is made at the first use is not the work
			return nil, err
		}
		laps = append(laps, l)
	}
	for more() {
		for _, l := range laps {
			if err := l.turn(ctx, r); err != nil {
				return nil, err
			}
		}
	}
	for _, l := range laps {
		if err := l.check(ctx, r); err != nil {
			return nil, err
		}
		if r.Op == Set && l.Name == "jtx" {
			var err error
			if l.Syncs, err = syncsOf(ctx, l.Dir); err != nil {
				return nil, err
			}
		}
	}
	return laps, nil
}

// Words are the command of the next operation, nil where there is none.
func (l *Lap) Words(op Op) []string {
	switch {
	case op == Get:
		return l.Get
	case op == Add:
		return l.Add
	case l.Set == nil:
		return nil
	}
	return l.Set(int(l.done.Load()) + 1)
}

// turn is one operation, or several of each worker where they meet each other.
func (l *Lap) turn(ctx context.Context, r Race) error {
	left := 1
	if r.Workers > 1 {
		left = max(4*r.Workers, 40)
	}
	start := time.Now()
	times, err := measure.Work(r.Workers, func() bool { left--; return left >= 0 }, func(int) error { return l.once(ctx, r.Op) })
	l.Took += time.Since(start)
	l.Times = append(l.Times, times...)
	return err
}

func (l *Lap) once(ctx context.Context, op Op) error {
	_, err := l.command(ctx, l.Dir, l.Words(op))
	l.done.Add(1)
	return err
}

// command runs a program of the contender's in a directory.
func (c Contender) command(ctx context.Context, dir string, words []string) (string, error) {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	if c.Arg0 != "" {
		cmd.Args[0] = c.Arg0
	}
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "JTX_TX=") // it would make jtx act inside an open transaction
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", c.Name, errors.Join(context.Cause(ctx), err), strings.TrimSpace(errs.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// check compares the number with how often it was set or added to.
func (l *Lap) check(ctx context.Context, r Race) error {
	if l.Idle || r.Op == Get {
		return nil
	}
	text, err := l.number(ctx)
	if err != nil {
		return err
	}
	if want := strconv.FormatInt(l.done.Load(), 10); text != want {
		return fmt.Errorf("%s: the number is %s after %s changes", l.Name, text, want)
	}
	return nil
}

// number asks the contender, or reads its file.
func (l *Lap) number(ctx context.Context) (string, error) {
	if l.Get != nil {
		return l.command(ctx, l.Dir, l.Get)
	}
	data, err := os.ReadFile(filepath.Join(l.Dir, document))
	if err != nil {
		return "", err
	}
	var doc struct{ N json.Number }
	err = json.Unmarshal(data, &doc)
	return doc.N.String(), err
}

// race is a race as rows: jtx's, its own start, and the others.
func (r *run) race(race Race, dir string) (rows []Row, err error) {
	raw, err := measure.OpenRawDisk(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	start := Starting(r.Program, "version")
	start.Arg0 = r.Arg0
	contenders := append([]Contender{start, JTX(r.Program, r.Arg0)}, Others()...)
	more := measure.Until(4 * r.Time) // they share it
	var rawErr error
	laps, err := race.Run(r.ctx, dir, contenders, func() bool {
		rawErr = errors.Join(rawErr, raw.Run(2*time.Millisecond)) // in turn with them
		return more()
	})
	if err = errors.Join(err, rawErr); err != nil {
		return nil, err
	}
	for _, l := range laps {
		row := rowOf(race.Title, l.Name, l.Times, l.Took)
		row.XStart = l.Rate() / laps[0].Rate()
		if race.Op != Get && !l.Idle {
			row.XRaw, row.Syncs = l.Rate()/raw.Rate(), l.Syncs
		}
		rows = append(rows, row)
	}
	return rows, nil
}
