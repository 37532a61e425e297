package crashfs

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Crash tells Recover and Check which crash they look at.
type Crash struct {
	Model  Model
	Event  int      // so many events had happened
	Points []string // the marks among them: what the workload had been told
	// Boots counts the power cuts. The kernel's boot id must look different to
	// recovery whenever this does, as it would on a machine.
	Boots int
	// Inodes are the numbers that the files had, for [Numbered]. Recover's file system
	// is so already.
	Inodes Inodes
	// Path says where the crash lies: the event, then the event of recovery at
	// which that was cut in turn.
	Path []int
}

// Config is one exploration.
type Config struct {
	// Setup fills the directory. What it leaves counts as durable.
	Setup func(dir string) error
	// Run is the workload. It does its work through rec on dir, and calls
	// rec.Point where it was told of a success.
	Run func(rec *Recorder, dir string) error
	// Recover runs on each state. An error is a violation. It may be nil.
	Recover func(fsy fsys.FS, dir string, c Crash) error
	// Check says what is wrong with the recovered state.
	Check func(dir string, c Crash) error

	Inner    fsys.FS // under the recorder; fsys.OS where nil
	Options  []Option
	Models   []Model // AllModels where empty
	PerCut   int     // states per event and model; 64 where 0
	States   int     // about so many states in all; 20000 where 0
	Depth    int     // how often recovery is cut in turn
	Nested   int     // in how many states it is, each time; 20 where 0
	Seed     uint64  // drawn where 0; -crashfs.seed overrides it
	MaxFound int     // stop after so many violations; 3 where 0
}

func (cfg Config) withDefaults() Config {
	if len(cfg.Models) == 0 {
		cfg.Models = AllModels()
	}
	if cfg.Inner == nil {
		cfg.Inner = fsys.OS
	}
	if cfg.Recover == nil {
		cfg.Recover = func(fsys.FS, string, Crash) error { return nil }
	}
	if *flagSeed != 0 {
		cfg.Seed = *flagSeed
	}
	if cfg.Seed == 0 {
		cfg.Seed = rand.Uint64() >> 1
	}
	orDefault(&cfg.PerCut, 64)
	orDefault(&cfg.States, 20000)
	orDefault(&cfg.Nested, 20)
	orDefault(&cfg.MaxFound, 3)
	return cfg
}

func orDefault(n *int, value int) {
	if *n == 0 {
		*n = value
	}
}

// Explore runs Search and fails the test for each violation.
func Explore(tb testing.TB, cfg Config) Stats {
	tb.Helper()
	stats, found, err := Search(cfg)
	if err != nil {
		tb.Fatalf("crashfs: seed %d: %v", stats.Seed, err)
	}
	tb.Logf("crashfs: %v", stats)
	for _, v := range found {
		tb.Errorf("%s", v.Report(tb.Name()))
	}
	return stats
}

// Search records the workload, makes the crash states and checks them. The error
// is of the workload or the laboratory, not of a check.
func Search(cfg Config) (Stats, []Violation, error) {
	cfg = cfg.withDefaults()
	start := time.Now()
	x := &explorer{cfg: cfg, stats: Stats{Seed: cfg.Seed}, seen: map[key]bool{}}
	scratch, err := ScratchDir()
	if err != nil {
		return x.stats, nil, err
	}
	x.scratch = scratch
	log, err := x.record()
	if err == nil {
		x.stats.Events = len(log.Events)
		x.stats.Points = len(log.Points(len(log.Events)))
		err = x.explore(log, nil, nil, 0, cfg.PerCut)
	}
	x.stats.Duration = time.Since(start)
	x.stats.Violations = len(x.found)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return x.stats, x.found, errors.Join(err, removeAll(scratch))
}

var errEnough = errors.New("crashfs: enough violations")

type explorer struct {
	cfg     Config
	scratch string
	root    string // where the workload runs, and each state is made: paths outlive a reboot
	stats   Stats
	seen    map[key]bool
	found   []Violation
	nest    int // in so many states of this cut, recovery is still to be cut
}

// key identifies what was checked already: a tree, and what must be in it.
type key struct {
	sum    uint64
	points int
	boots  int
}

func (x *explorer) record() (*Log, error) {
	x.root = filepath.Join(x.scratch, "run")
	if err := os.Mkdir(x.root, 0o755); err != nil {
		return nil, err
	}
	if x.cfg.Setup != nil {
		if err := x.cfg.Setup(x.root); err != nil {
			return nil, fmt.Errorf("setup: %w", err)
		}
	}
	rec, err := NewRecorder(x.cfg.Inner, x.root, x.cfg.Options...)
	if err != nil {
		return nil, err
	}
	if err := x.cfg.Run(rec, x.root); err != nil {
		return nil, fmt.Errorf("workload: %w", err)
	}
	return rec.Log(), removeAll(x.root)
}

// outer is the crash within whose recovery a further one is explored.
type outer struct {
	crash  Crash
	report string // how that tree came to be
}

// explore checks the states after each event of a log. Of a long log it takes a
// sample of the events, so that the number of states stays about what was asked.
func (x *explorer) explore(log *Log, out *outer, path []int, depth, perCut int) error {
	cuts := (len(log.Events) + 1) * len(x.cfg.Models)
	limit := min(perCut, max(4, x.cfg.States/cuts))
	skip := float64(cuts*4-x.cfg.States) / float64(cuts*4)
	rng := x.rng("cuts", path...)
	h := newHistory(log)
	for event := 0; ; event++ {
		for _, m := range x.cfg.Models {
			// Draw first: what is drawn must not depend on the flags.
			skipped, quota := rng.Float64() < skip, x.quota(depth, cuts, rng)
			if depth == 0 && !wanted(event, m) || skipped && !m.NothingLost {
				continue
			}
			outerNest := x.nest
			x.nest = quota
			if err := x.cut(h, m, out, append(path[:len(path):len(path)], event), depth, limit); err != nil {
				return err
			}
			x.nest = outerNest
		}
		if event == len(log.Events) {
			return nil
		}
		h.advance()
	}
}

// wanted applies the flags that reproduce one violation.
func wanted(event int, m Model) bool {
	return (*flagEvent < 0 || *flagEvent == event) && (*flagModel == "" || *flagModel == m.Name)
}

// rng is a source of its own for each purpose, so that one cut can be repeated
// without those before it.
func (x *explorer) rng(purpose string, path ...int) *rand.Rand {
	f := fnv.New64a()
	fmt.Fprint(f, purpose, path)
	return rand.New(rand.NewPCG(x.cfg.Seed, f.Sum64()))
}

func (x *explorer) cut(h *history, m Model, out *outer, path []int, depth, limit int) error {
	c := Crash{Model: m, Event: h.next, Points: h.log.Points(h.next), Path: path}
	if out != nil {
		c.Points = append(out.crash.Points[:len(out.crash.Points):len(out.crash.Points)], c.Points...)
		c.Boots = out.crash.Boots
	}
	if !m.NothingLost {
		c.Boots++
	}
	sp := newSpace(h, m)
	var err error
	number := 0
	sp.each(limit, x.rng(m.Name, path...), func(digits []int) bool {
		number++
		err = x.try(sp, digits, number, c, out, depth)
		return err == nil
	})
	return err
}

// try checks one state, unless an equal one was checked already.
func (x *explorer) try(sp *space, digits []int, number int, c Crash, out *outer, depth int) error {
	x.stats.Tried++
	build := func(explain bool) *state {
		return sp.build(digits, x.rng(fmt.Sprint(c.Model.Name, number), c.Path...), explain)
	}
	s := build(false)
	k := key{s.sum(), len(c.Points), c.Boots}
	if x.seen[k] {
		return nil
	}
	x.seen[k] = true
	x.stats.Distinct++
	x.stats.Checked += len(c.Points)
	if out != nil {
		x.stats.InTurn++
	}
	return x.check(s, func() *state { return build(true) }, c, out, depth, x.inTurn(c, number))
}

func (x *explorer) check(s *state, explain func() *state, c Crash, out *outer, depth int, inTurn bool) error {
	var err error
	if c.Inodes, err = s.materialize(x.root, x.root); err != nil {
		return fmt.Errorf("materialise: %w", err)
	}
	log, problem := x.recoverAndCheck(x.root, c, inTurn)
	if err := removeAll(x.root); err != nil {
		return err
	}
	if problem != nil {
		if err := x.violation(explain(), c, out, problem); err != nil {
			return err
		}
	}
	if log != nil && problem == nil {
		x.stats.Nested++
		inner := &outer{crash: c, report: reportOf(explain(), c, out)}
		return x.explore(log, inner, c.Path, depth+1, max(2, x.cfg.PerCut/8))
	}
	return nil
}

// quota is in how many states of one cut recovery is cut in turn, so that those
// states are spread evenly over the history.
func (x *explorer) quota(depth, cuts int, rng *rand.Rand) int {
	if depth >= x.cfg.Depth {
		return 0
	}
	if depth == 0 && *flagEvent >= 0 {
		return x.cfg.States // a reproduction looks at few states, and closely
	}
	want := x.cfg.Nested
	if depth > 0 {
		want = max(1, want/10)
	}
	n := want / cuts
	if rng.IntN(cuts) < want%cuts {
		n++
	}
	return n
}

// inTurn says whether this state is one of those: every third, until the quota
// is used up.
func (x *explorer) inTurn(c Crash, number int) bool {
	every := 3
	if *flagEvent >= 0 {
		every = 1
	}
	if x.nest == 0 || x.rng("nested"+c.Model.Name+fmt.Sprint(number), c.Path...).IntN(every) != 0 {
		return false
	}
	x.nest--
	return true
}

func (x *explorer) recoverAndCheck(dir string, c Crash, record bool) (log *Log, problem error) {
	fsy := fsys.Anonymous(fsys.OS) // faults that Inner injects are for the workload
	var rec *Recorder
	if record {
		var err error
		if rec, err = NewRecorder(fsy, dir, x.cfg.Options...); err != nil {
			return nil, err
		}
		fsy = rec
	}
	if err := guard(func() error { return x.cfg.Recover(Numbered(fsy, c.Inodes), dir, c) }); err != nil {
		return nil, fmt.Errorf("recover: %w", err)
	}
	if rec != nil {
		log = rec.Log()
		for id, number := range log.inodes {
			if had, ok := c.Inodes[number]; ok {
				log.inodes[id] = had
			}
		}
	}
	return log, guard(func() error { return x.cfg.Check(dir, c) })
}

// guard turns a panic into a violation.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

func (x *explorer) violation(s *state, c Crash, out *outer, problem error) error {
	v := Violation{Seed: x.cfg.Seed, Crash: c, Problem: problem, State: reportOf(s, c, out)}
	if *flagKeep != "" {
		v.Kept = filepath.Join(*flagKeep, fmt.Sprintf("violation%d", len(x.found)+1))
		if _, err := s.materialize(v.Kept, x.root); err != nil {
			return err
		}
	}
	x.found = append(x.found, v)
	if len(x.found) >= x.cfg.MaxFound {
		return errEnough
	}
	return nil
}

// removeAll removes a tree in which directories may be closed to writing.
func removeAll(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return err
	})
	return errors.Join(err, os.RemoveAll(dir))
}
