// Command mutants asks whether the tests can fail: it breaks one statement at a time
// where a broken one loses data, runs the tests that should see it, and prints which
// mutants lived.
//
//	go run ./fuzz/mutants [-n 60] [-seed N] [-only NAME] [-drawn] [-list] [-least 80]
//
// A mutant is named by its function, what was done, and the statement, so that it
// stays the same when code moves. Those of survivors.go always run, with the tests that
// were written for them: earlier trials let them live. The others are drawn by the seed,
// but for those of equivalent.go, which no test can see. No file is changed: the go
// command is given another text for one of them (-overlay). A test that kills one must
// succeed without it.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	n := flag.Int("n", 60, "how many mutants")
	seed := flag.Uint64("seed", 1, "which of them")
	only := flag.String("only", "", "the mutants whose name holds this, all of them")
	list := flag.Bool("list", false, "print the names of all mutants")
	drawn := flag.Bool("drawn", false, "leave out those of survivors.go")
	least := flag.Float64("least", 80, "fail where fewer, in percent, were killed")
	flag.Parse()
	if err := run(*n, *seed, *only, *list, *drawn, *least); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(n int, seed uint64, only string, list, drawn bool, least float64) error {
	all, err := allMutants()
	if err != nil {
		return err
	}
	if list {
		for _, m := range all {
			fmt.Println(m.name)
		}
		return nil
	}
	chosen, err := choose(all, seed, only)
	if err != nil {
		return err
	}
	if drawn {
		chosen = slices.DeleteFunc(chosen, func(t trial) bool { return t.old })
	}
	s, err := newShop()
	if err != nil {
		return err
	}
	defer s.close()
	return s.try(chosen, n, only != "", least)
}

// trial is a mutant and its judges.
type trial struct {
	mutant
	stages []stage
	old    bool // it lived in an earlier trial, and may not again
}

// choose orders the mutants: the survivors of earlier trials, then the others as drawn,
// each by itself: so the same are drawn when there are more of them.
func choose(all []mutant, seed uint64, only string) (chosen []trial, err error) {
	old := map[string]stage{}
	for _, j := range survivors {
		old[mutant{name: j.mutant}.key()] = j.stage
	}
	same := map[string]bool{}
	for name := range equivalent {
		same[mutant{name: name}.key()] = true
	}
	var drawn []trial
	for _, m := range all {
		st, survived := old[m.key()]
		delete(old, m.key())
		switch {
		case only != "" && !strings.Contains(m.name, only) || only == "" && same[m.key()]:
		case survived:
			chosen = append(chosen, trial{m, []stage{st}, true})
		default:
			drawn = append(drawn, trial{mutant: m, stages: judgesOf(m.pkg)})
		}
	}
	for name := range old {
		err = errors.Join(err, fmt.Errorf("survivors.go: there is no %s any more", name))
	}
	slices.SortFunc(drawn, func(a, b trial) int { return cmp.Compare(a.rank(seed), b.rank(seed)) })
	return append(chosen, drawn...), err
}

func (t trial) rank(seed uint64) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, seed, " ", t.key())
	return h.Sum64()
}

// try runs mutants until n of them could be built, or all.
func (s *shop) try(chosen []trial, n int, all bool, least float64) error {
	var killed, lived int
	var err error
	for _, t := range chosen {
		if !all && killed+lived == n {
			break
		}
		start := time.Now()
		verdict, by, failure := s.judge(t.mutant, t.stages)
		if failure != nil {
			return failure
		}
		switch verdict {
		case unbuildable:
			if t.old {
				err = errors.Join(err, fmt.Errorf("survivors.go: %s does not compile", t.name))
			}
			continue
		case dead:
			killed++
		case alive:
			if lived++; t.old {
				err = errors.Join(err, fmt.Errorf("it lives again: %s", t.name))
			}
		}
		fmt.Printf("%-6s %s: %s (%s, %.0fs)\n", verdict, t.pkg, t.name, by, time.Since(start).Seconds())
	}
	if killed+lived == 0 {
		return errors.New("no mutant could be built")
	}
	score := 100 * float64(killed) / float64(killed+lived)
	fmt.Printf("%d mutants, %d killed, %d lived: %.0f %%\n", killed+lived, killed, lived, score)
	if score < least {
		err = errors.Join(err, fmt.Errorf("%.0f %% were killed, %.0f %% are expected", score, least))
	}
	return err
}
