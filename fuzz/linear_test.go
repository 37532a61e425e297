//go:build unix

package fuzz

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
)

func init() { jobs["linear"] = childLinear }

// registers are files of one number each, in two directories and one workspace.
var registers = []string{"x.json", "y.json", "d/z.json"}

// values are the numbers in the registers.
type values [3]int

// operation is what a client asks for.
type operation struct {
	Kind  string // read, set, add, transfer
	Files []int
	N     int
}

// event is what a client says of an operation: when it begins, with Call, and when
// it has ended, with Return and the numbers that it saw.
type event struct {
	Client, Number int
	Op             operation
	Call, Return   int64
	Saw            []int
}

// monotonic is a clock that all processes share and nobody sets.
func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err)
	}
	return ts.Nano()
}

func drawOperation(rng *rand.Rand) operation {
	some := rng.Perm(len(registers))
	switch rng.IntN(5) {
	case 0:
		return operation{"set", some[:1], rng.IntN(1000)}
	case 1:
		return operation{"add", some[:1], 1 + rng.IntN(9)}
	case 2:
		return operation{"transfer", some[:2], 1 + rng.IntN(9)}
	}
	return operation{"read", some[:1+rng.IntN(3)], 0}
}

// after is what the registers hold after an operation.
func (op operation) after(v values) values {
	switch op.Kind {
	case "set":
		v[op.Files[0]] = op.N
	case "add":
		v[op.Files[0]] += op.N
	case "transfer":
		v[op.Files[0]] -= op.N
		v[op.Files[1]] += op.N
	}
	return v
}

// run does an operation and returns what its transaction saw.
func (op operation) run(s *txn.Store) (saw []int, err error) {
	var names []string
	for _, f := range op.Files {
		names = append(names, registers[f])
	}
	fn := func(tx *txn.Tx) error {
		var v values
		saw = nil
		for i, f := range op.Files {
			if err := tx.Decode(names[i], "/n", &v[f]); err != nil {
				return err
			}
			saw = append(saw, v[f])
		}
		if op.Kind == "read" {
			return nil
		}
		next := op.after(v)
		for i, f := range op.Files {
			if err := tx.Set(names[i], "/n", next[f]); err != nil {
				return err
			}
		}
		return nil
	}
	if op.Kind == "read" {
		return saw, s.View(context.Background(), names, fn)
	}
	_, err = s.Do(context.Background(), names, fn)
	return saw, err
}

// client does some operations and tells of each, before and after.
func client(s *txn.Store, number, count int, rng *rand.Rand, tell func(event)) error {
	for i := range count {
		e := event{Client: number, Number: i, Op: drawOperation(rng), Call: monotonic()}
		tell(e)
		var err error
		if e.Saw, err = e.Op.run(s); err != nil {
			return fmt.Errorf("client %d, operation %d, %v: %w", number, i, e.Op, err)
		}
		e.Return = monotonic()
		tell(e)
	}
	return nil
}

// childLinear is two clients in a process of their own. arg is the number of the
// first, the operations of each, the seed, and how long files may be behind.
func childLinear(dir, arg string) error {
	var first, count int
	var seed uint64
	var delay time.Duration
	if _, err := fmt.Sscan(arg, &first, &count, &seed, &delay); err != nil {
		return err
	}
	s, err := txn.Open(dir, txn.Options{WriteBehind: txn.WriteBehind{Delay: delay}})
	if err != nil {
		return err
	}
	err = clients(s, first, count, seed, func(e event) {
		line, err := json.Marshal(e)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s\n", line) // one write, so that lines of two goroutines don't mix
	})
	return firstError(err, s.Close())
}

// clients runs two clients on one store.
func clients(s *txn.Store, first, count int, seed uint64, tell func(event)) error {
	var errs [2]error
	var wait sync.WaitGroup
	for i := range errs {
		rng := rand.New(rand.NewPCG(seed, uint64(first+i)))
		wait.Go(func() { errs[i] = client(s, first+i, count, rng, tell) })
	}
	wait.Wait()
	return firstError(errs[:]...)
}

// linearModel is the registers as they would be with one client at a time.
var linearModel = porcupine.Model{
	Init: func() any { return values{} },
	Step: func(state, input, output any) (bool, any) {
		v, op := state.(values), input.(operation)
		for i, n := range output.([]int) {
			if v[op.Files[i]] != n {
				return false, v
			}
		}
		return true, op.after(v)
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%v saw %v", input, output) },
}

// historyIn makes one of what the clients told. An operation that was cut off may
// have happened at any time since, or never, which is the same as at the end.
func historyIn(told []event) (all []porcupine.Operation, finished int) {
	at := map[[2]int]int{}
	for _, e := range told {
		key := [2]int{e.Client, e.Number}
		i, ok := at[key]
		if !ok {
			at[key] = len(all)
			all = append(all, porcupine.Operation{ClientId: e.Client, Input: e.Op, Call: e.Call, Output: []int{}, Return: math.MaxInt64})
			continue
		}
		all[i].Output, all[i].Return = e.Saw, e.Return
		finished++
	}
	return all, finished
}

// linearRound runs two clients in this process and two in each of three others, of
// which one is killed, and returns what all of them told.
func linearRound(t *testing.T, rng *rand.Rand, delay time.Duration) []event {
	const each = 25
	dir := scratch(t)
	for _, f := range registers {
		path := filepath.Join(dir, f)
		if err := firstError(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(`{"n": 0}`), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := txn.Open(dir, txn.Options{WriteBehind: txn.WriteBehind{Delay: delay}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Init(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	seed := rng.Uint64()
	c := crowd{t: t}
	var kill func()
	for i := range 3 {
		kill = c.start(child("linear", dir, fmt.Sprint(2+2*i, each, seed, int64(delay))))
	}
	var mu sync.Mutex
	var told []event
	victim := rng.IntN(each)
	err = clients(s, 0, each, seed, func(e event) {
		mu.Lock()
		told = append(told, e)
		mu.Unlock()
		if e.Client == 0 && e.Number == victim && e.Return == 0 {
			kill()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	c.wait.Wait()
	for _, line := range c.said {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err == nil { // else it was cut off
			told = append(told, e)
		}
	}
	if err := s.Flush(context.Background()); err != nil {
		t.Error(err)
	}
	verifyAfterKill(t, s, dir)
	return told
}

func verifyAfterKill(t *testing.T, s *txn.Store, dir string) {
	if err := firstError(sweep(s, dir), verify(s, dir)); err != nil {
		t.Error(err)
	}
}

// TestLinearizable: whatever goroutines and processes do at once looks as if they
// had done it one by one, each at an instant between its call and its return; one
// of them is killed meanwhile.
func TestLinearizable(t *testing.T) {
	for kind, delay := range map[string]time.Duration{kindLinear: 0, kindLinear + "; write-behind": 10 * time.Millisecond} {
		t.Run(kind, func(t *testing.T) {
			row := evidence.Start(t, kind, "histories")
			rng := random(t, row)
			for range 6 * *effort {
				all, finished := historyIn(linearRound(t, rng, delay))
				row.Tried++
				row.Checked += finished
				if !porcupine.CheckOperations(linearModel, all) {
					t.Fatalf("the history can't be told as one:\n%s", describe(all))
				}
			}
			t.Logf("%d histories of %d operations", row.Tried, row.Checked)
		})
	}
}

const kindLinear = "linearizability of goroutines and processes, one killed"

// TestLinearizableFindsAStaleRead is the proof that the test above can fail.
func TestLinearizableFindsAStaleRead(t *testing.T) {
	row := evidence.Start(t, kindLinear, "histories")
	row.Wrong = "one read made to have seen another number"
	all, _ := historyIn(linearRound(t, random(t, row), 0))
	for i := range all {
		if saw := all[i].Output.([]int); len(saw) > 0 {
			saw[0]--
			break
		}
	}
	row.Tried = 1
	if porcupine.CheckOperations(linearModel, all) {
		t.Fatal("it was not found")
	}
	row.Caught(1, "the history can't be told as one")
}

func describe(all []porcupine.Operation) string {
	var b strings.Builder
	for _, o := range all {
		end := "cut off"
		if o.Return != math.MaxInt64 {
			end = strconv.FormatInt(o.Return, 10)
		}
		fmt.Fprintf(&b, "client %d, %d to %s: %s\n", o.ClientId, o.Call, end, linearModel.DescribeOperation(o.Input, o.Output))
	}
	return b.String()
}
