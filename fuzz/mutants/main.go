// Command mutants asks whether the tests can fail: it breaks one statement at a time
// where a broken one loses data, runs the tests that should see it, and prints which
// mutants lived.
//
//	go run ./fuzz/mutants [-n 60] [-seed N] [-only NAME] [-list] [-least 80]
//
// A mutant is named by its function, what was done, and the statement, so that it
// stays the same when code moves. Those of survivors.go always run: earlier trials let
// them live. The others are drawn by the seed. No file is changed: the go command is
// given another text for one of them (-overlay).
package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"
)

func main() {
	n := flag.Int("n", 60, "how many mutants")
	seed := flag.Uint64("seed", 1, "which of them")
	only := flag.String("only", "", "the mutants whose name holds this, all of them")
	list := flag.Bool("list", false, "print the names of all mutants")
	least := flag.Float64("least", 80, "fail where fewer, in percent, were killed")
	flag.Parse()
	if err := run(*n, *seed, *only, *list, *least); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(n int, seed uint64, only string, list bool, least float64) error {
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
	s, err := newShop()
	if err != nil {
		return err
	}
	defer s.close()
	return s.try(chosen, n, only != "", least)
}

// choose orders the mutants: the survivors of earlier trials, then the others as drawn.
func choose(all []mutant, seed uint64, only string) (chosen []mutant, err error) {
	if only != "" {
		for _, m := range all {
			if strings.Contains(m.name, only) {
				chosen = append(chosen, m)
			}
		}
		return chosen, nil
	}
	byName := map[string]mutant{}
	for _, m := range all {
		byName[m.name] = m
	}
	for _, name := range survivors {
		m, ok := byName[name]
		if !ok {
			err = errors.Join(err, fmt.Errorf("survivors.go: there is no %s any more", name))
		}
		delete(byName, name)
		chosen = append(chosen, m)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, i := range rng.Perm(len(all)) {
		if _, left := byName[all[i].name]; left {
			chosen = append(chosen, all[i])
		}
	}
	return chosen, err
}

// try runs mutants until n of them could be built, or all.
func (s *shop) try(chosen []mutant, n int, all bool, least float64) error {
	var killed, lived int
	for _, m := range chosen {
		if !all && killed+lived == n {
			break
		}
		start := time.Now()
		verdict, by, err := s.judge(m)
		if err != nil {
			return err
		}
		switch verdict {
		case unbuildable:
			continue
		case dead:
			killed++
		case alive:
			lived++
		}
		fmt.Printf("%-6s %s (%s, %.0fs)\n", verdict, m.name, by, time.Since(start).Seconds())
	}
	if killed+lived == 0 {
		return errors.New("no mutant could be built")
	}
	score := 100 * float64(killed) / float64(killed+lived)
	fmt.Printf("%d mutants, %d killed, %d lived: %.0f %%\n", killed+lived, killed, lived, score)
	if score < least {
		return fmt.Errorf("%.0f %% were killed, %.0f %% are expected", score, least)
	}
	return nil
}
