package pairs

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal/fsys"
)

var (
	all      = flag.Bool("pairs.all", false, "try every pair, and more of its states")
	seedFlag = flag.Uint64("pairs.seed", 0, "draw the pairs, and their states, that this seed has drawn; 0 is always the same one, and draws one with -pairs.all")
	only     = flag.String("pairs.only", "", "try only pairs whose name contains this")
)

// shortSeed is of the run before each landing, which must not fail by chance: .ci/full
// draws others.
const shortSeed = 1

// pair is a first operation, which is cut off, always on fileA, and a second one.
type pair struct {
	first, second operation
	side          string // that the second is on, and the edit in between
	edited        bool
	level         txn.Durability
}

func (p pair) String() string {
	edit := ""
	if p.edited {
		edit = ", edit"
	}
	return strings.ReplaceAll(fmt.Sprintf("%s%s, %s on %s, %s", p.first.name, edit, p.second.name, p.side, p.level), "/", ".")
}

// pairs are all of them.
func pairs() (list []pair) {
	for _, first := range operations {
		for _, second := range operations {
			for _, side := range []string{fileA, fileB} {
				for _, edited := range []bool{false, true} {
					for _, level := range []txn.Durability{txn.Full, txn.Journal} {
						list = append(list, pair{first, second, side, edited, level})
					}
				}
			}
		}
	}
	return list
}

// run is one pair on its way through the states that its first operation may leave.
type run struct {
	pair
	*world
	seed  uint64 // of the states; 0 draws one
	was   state
	drop  func(name string, isDir bool) bool
	saved bool // the edit met a file
}

func (r *run) config(states int) crashfs.Config {
	posix := crashfs.POSIX
	posix.HalfExchange = false // which DESIGN.md assumes
	return crashfs.Config{
		Setup: func(dir string) (err error) {
			r.world = &world{dir: dir, level: r.pair.level, boot: [16]byte{1}}
			if r.was, err = r.setup(); err == nil && r.first.damages {
				err = r.damage(fileA)
			}
			return err
		},
		Run: func(rec *crashfs.Recorder, dir string) error {
			var fsy fsys.FS = rec
			if r.drop != nil {
				fsy = crashfs.DropSyncs(rec, r.drop)
			}
			w := r.at(fsy, 0)
			acked := false
			w.point = func() {
				if !acked {
					acked = true
					rec.Point(r.first.name)
				}
			}
			var err error
			if w.store, err = w.open(txn.WriteBehind{}); err != nil {
				return err
			}
			if err := r.first.run(w, on{fileA, 1}); err != nil {
				return err
			}
			w.point()
			return w.store.Close()
		},
		Recover: r.recover, Check: r.check, Seed: r.seed,
		Models: []crashfs.Model{crashfs.Kill, crashfs.Ext4, crashfs.XFS, posix}, PerCut: 16, States: states,
	}
}

func (r *run) at(fsy fsys.FS, boots int) *world {
	w := *r.world
	w.fsy, w.boot, w.point = fsy, [16]byte{1, byte(boots)}, func() {}
	return &w
}

// recover is the edit, if there is one, and the second operation.
func (r *run) recover(fsy fsys.FS, _ string, c crashfs.Crash) (err error) {
	w := r.at(fsy, c.Boots)
	r.saved = false
	if r.edited {
		err = w.edit(r.side, "note", 7, false)
		if r.saved = err == nil; !r.saved && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if w.store, err = w.open(txn.WriteBehind{}); err != nil {
		return err
	}
	may := r.expected(len(c.Points) > 0)
	if err := r.prepare(w); err != nil {
		return err
	}
	refused := r.second.run(w, on{r.side, 2})
	if refused != nil && !isRefusal(refused) {
		return fmt.Errorf("%s: %w", r.second.name, refused)
	}
	if err := w.recover("."); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	now, err := w.read()
	if err != nil {
		return err
	}
	if err := r.judge(may, now, refused); err != nil {
		return err
	}
	if err := errors.Join(w.verify(), w.views(now)); err != nil {
		return err
	}
	if r.saved && !r.forgets() {
		return w.keeps(r.side, "note", 7)
	}
	return nil
}

// forgets tells that the second operation drops a history, or that the first may have.
func (r *run) forgets() bool {
	return r.second.name == "compact" || r.second.name == "forget" || r.first.name == "forget" || r.first.damages || r.second.damages
}

// prepare does again what would keep all else from being done, and damages what the
// second operation is to mend.
func (r *run) prepare(w *world) error {
	if r.first.damages {
		if err := r.first.run(w, on{fileA, 1}); err != nil && !isRefusal(err) {
			return fmt.Errorf("%s again: %w", r.first.name, err)
		}
	}
	if !r.second.damages {
		return nil
	}
	if err := w.recover("."); err != nil {
		return err
	}
	if err := w.damage(r.side); !errors.Is(err, errNoJournal) {
		return err
	}
	return nil
}

func isRefusal(err error) bool {
	return slices.ContainsFunc([]error{txn.ErrConflict, txn.ErrNotFound, txn.ErrExists, txn.ErrInvalid, fs.ErrNotExist}, func(kind error) bool { return errors.Is(err, kind) })
}

// expected are the states in which the second operation may find the files.
func (r *run) expected(acked bool) []state {
	after := r.was.clone()
	if !r.first.apply(after, on{fileA, 1}) {
		panic(r.first.name + " is refused at once")
	}
	may := []state{after}
	if !acked {
		may = append(may, r.was.clone())
	}
	for _, s := range may {
		if r.saved && s[r.side] != nil {
			s.put(r.side, "note", 7)
		}
	}
	return may
}

// judge looks for what is there among what the second operation may have made.
func (r *run) judge(may []state, now state, refused error) error {
	var want []state
	for _, s := range may {
		next := s.clone()
		does := r.second.apply(next, on{r.side, 2})
		if !does {
			next = s
		}
		if does == (refused == nil) && reflect.DeepEqual(now, next) {
			return nil
		}
		if refused != nil && (r.second.damages || slices.Contains(r.second.refused, r.first.name)) && reflect.DeepEqual(now, s) {
			return nil
		}
		want = append(want, next)
	}
	return fmt.Errorf("%s: %v; the files are\n%s\nexpected one of\n%s", r.second.name, refused, show(now), show(want...))
}

// show tells states by what differs from the document that was there before.
func show(states ...state) string {
	var b strings.Builder
	for _, s := range states {
		for _, file := range sorted(s) {
			fmt.Fprintf(&b, "  %s:", file)
			for _, member := range sorted(s[file]) {
				if !reflect.DeepEqual(s[file][member], before()[member]) {
					fmt.Fprintf(&b, " %s=%v", member, s[file][member])
				}
			}
			b.WriteString("\n")
		}
		b.WriteString("  --\n")
	}
	return b.String()
}

func sorted[V any](m map[string]V) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// check has nothing to add to what recover has looked at.
func (r *run) check(string, crashfs.Crash) error { return nil }

// TestPairs tries pairs: some, drawn by a seed, or all.
func TestPairs(t *testing.T) {
	row := evidence.Start(t, "pairs of operations, the first cut off", "disk states")
	list, states := pairs(), 24
	if *only != "" {
		list = slices.DeleteFunc(list, func(p pair) bool { return !strings.Contains(p.String(), *only) })
	}
	row.Seed = *seedFlag
	switch {
	case row.Seed == 0 && !*all:
		row.Seed = shortSeed
	case row.Seed == 0:
		row.Seed = rand.Uint64()
	}
	t.Logf("-pairs.seed=%d", row.Seed)
	if !*all && *only == "" {
		rng := rand.New(rand.NewPCG(row.Seed, 1))
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		list = list[:96]
	}
	if *all {
		states = 96
	}
	for _, p := range list {
		t.Run(p.String(), func(t *testing.T) {
			stats := crashfs.Explore(t, (&run{pair: p, seed: row.Seed}).config(states))
			row.Tried += stats.Distinct
			row.Checked += stats.Checked
			row.Violations += stats.Violations
		})
	}
	t.Logf("%d pairs, %d states", len(list), row.Tried)
}

// TestPairsCanFail leaves out what the protocol needs. Each fault must be found.
func TestPairsCanFail(t *testing.T) {
	inJournal := func(name string) bool { return strings.Contains(name, "/.jtx/files/") }
	unit := slices.IndexFunc(operations, func(o operation) bool { return o.name == "unit of two" })
	for name, drop := range map[string]func(name string, isDir bool) bool{
		"no sync of the staged file":       func(name string, isDir bool) bool { return strings.HasSuffix(name, ".tmp") && !isDir },
		"commit before the journal's sync": func(name string, isDir bool) bool { return inJournal(name) && !isDir },
	} {
		t.Run(name, func(t *testing.T) {
			p := pair{first: operations[unit], second: operations[0], side: fileB, level: txn.Full}
			_, found, err := crashfs.Search((&run{pair: p, drop: drop}).config(1000))
			if err != nil || len(found) == 0 {
				t.Fatalf("not found: %v", err)
			}
		})
	}
}
