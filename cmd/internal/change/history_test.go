package change_test

import (
	"context"
	"errors"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// The run before each landing, which must not fail by chance, is always the same. The long
// one: go test ./cmd/internal/change -run RandomEdits -v -timeout 0 -edits 10000 -chains 2000 -seed 0
var (
	manyEdits  = flag.Int("edits", 100, "how many random edits are made of real files")
	manyChains = flag.Int("chains", 20, "in how many histories at least, each of which is undone whole")
	firstChain = flag.Int("first", 0, "begin with the history of this number")
	seed       = flag.Uint64("seed", 1, "begin with this seed; 0: any")
)

// undoNewestFirst takes the edits back, newest first, and looks at each version.
func (e *editor) undoNewestFirst() {
	e.t.Helper()
	for n := len(e.made) - 1; n >= 0; n-- {
		_, err := history.Undo(context.Background(), e.s, e.made[n])
		require.NoError(e.t, err)
		require.Equal(e.t, e.texts[n], e.state(), "undo of step %d", n)
		e.count["undo"]++
	}
}

// thereAndBack undoes the newest edit, and that undoing.
func (e *editor) thereAndBack() {
	e.t.Helper()
	n := len(e.made)
	res, err := history.Undo(context.Background(), e.s, e.made[n-1])
	require.NoError(e.t, err)
	require.Equal(e.t, e.texts[n-1], e.state())
	_, err = history.Undo(context.Background(), e.s, res.ID)
	require.NoError(e.t, err)
	require.Equal(e.t, e.texts[n], e.state())
	e.count["undo"] += 2
}

// undoInAnyOrder takes the edits back as drawn; what another one stands in the way of
// waits for it. Where all are taken back the files are as at first.
func (e *editor) undoInAnyOrder() {
	e.t.Helper()
	left := slices.Clone(e.made)
	for i := range left {
		j := i + e.draw(len(left)-i)
		left[i], left[j] = left[j], left[i]
	}
	for progress := true; progress && len(left) > 0; {
		progress = false
		for i := 0; i < len(left); {
			was := e.state()
			res, err := history.Undo(context.Background(), e.s, left[i])
			if err != nil || res.ID.IsZero() { // a layout is not taken back from below what was changed since
				require.True(e.t, err == nil || errors.Is(err, txn.ErrConflict), "%v", err)
				require.Equal(e.t, was, e.state())
				i++
				continue
			}
			if file, doc := e.file(); file != "" {
				require.NoError(e.t, doc.Repeated())
			}
			e.t.Logf("undone: %d", slices.Index(e.made, left[i]))
			left, progress = slices.Delete(left, i, i+1), true
			e.count["undo"]++
		}
	}
	if len(left) > 0 {
		e.count["conflict"]++
		return
	}
	require.Equal(e.t, e.texts[0], e.state())
}

func realFiles(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, pattern := range []string{"*.*json", "*.jsonc", "state/*"} {
		list, err := filepath.Glob(filepath.Join("../../../txn/jsonpatch/testdata/real", pattern))
		require.NoError(t, err)
		for _, file := range list {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			files[file] = data
		}
	}
	require.Greater(t, len(files), 10)
	return files
}

// inMemory makes directories where syncs cost nothing, if there is such a place.
func inMemory(t *testing.T) {
	if _, err := os.Stat("/dev/shm"); err == nil {
		t.Setenv("TMPDIR", "/dev/shm")
	}
}

// Random edits of real files, with every verb: each gives the value that another program
// gives, loses no comment and changes no other text; and every history leads home.
func TestRandomEdits(t *testing.T) {
	inMemory(t)
	begin := *seed
	if begin == 0 {
		begin = rand.Uint64()
	}
	files := realFiles(t)
	names := slices.Sorted(maps.Keys(files))
	total := map[string]int{}
	edits, chains := 0, 0
	for ; edits < *manyEdits || chains < *manyChains; chains++ {
		number := *firstChain + chains
		rnd := rand.New(rand.NewPCG(begin, uint64(number)))
		name := names[rnd.IntN(len(names))]
		for len(files[name]) > 200_000 && number%16 != 0 {
			name = names[rnd.IntN(len(names))]
		}
		ok := t.Run(filepath.Base(name), func(t *testing.T) {
			t.Logf("repeat with -seed %d -first %d", begin, number)
			edits += chain(t, rnd, files[name], filepath.Ext(name), total)
		})
		if !ok {
			return
		}
	}
	t.Logf("-seed %d: %d edits in %d histories; conflict: not taken back whole in another order: %v", begin, edits, chains, total)
}

// chain is a history, and its way back. It returns how many edits it had.
func chain(t *testing.T, rnd *rand.Rand, text []byte, ext string, total map[string]int) int {
	e := newEditor(t, rnd.IntN, text, ext)
	for range 2 + rnd.IntN(8) {
		if e.step() && rnd.IntN(4) == 0 {
			e.thereAndBack()
		}
	}
	if rnd.IntN(3) == 0 {
		e.undoInAnyOrder()
	} else {
		e.undoNewestFirst()
	}
	edits := 0
	for verb, n := range e.count {
		if total[verb] += n; verb != "undo" && verb != "conflict" {
			edits += n
		}
	}
	return edits
}

var fuzzDocs = []string{
	"{\n  // the first\n  \"alpha\": 1.0, // one\n\n  /* a group */\n  \"beta\": {\"x\": [1, 2], \"y\": \"caf\\u00e9\"},\n  \"gamma\": [\n    // ten\n    10, // x\n    20,\n    30 // z\n  ],\n  \"omega\": null // last\n}\n",
	`{"a":1,"b":[1,2,{"c":null}],"d":{"e":{}}}`, "[\n  1,\n  2,\n  3\n]\n", "{\r\n\t\"a\" : { },\r\n\t\"b\" : [ 1, 1 ]\r\n}", "\ufeff{\"k\":{\"k\":1},\"l\":2}",
	"[\n  {\"id\": 1, \"x\": \"\\u00e9\"},\n  {\"id\": 2, \"x\": 1.0}\n]", "3", "{\n    \"alpha\": 1,\n    \"beta\": 2,\n    \"kappa\": [],\n    \"rho\": {}\n}", "[[0, 1],\n [2, 3]] // rows\n",
}

func drawFrom(data []byte) func(int) int {
	return func(n int) int {
		if len(data) == 0 || n <= 1 {
			return 0
		}
		v := int(data[0])
		data = data[1:]
		return v % n
	}
}

// FuzzUndo makes a history of edits out of bytes, and goes all the way back, or in another
// order.
func FuzzUndo(f *testing.F) {
	for i := range fuzzDocs {
		rnd := rand.New(rand.NewPCG(7, uint64(i)))
		for range 3 {
			var choices []byte
			for range 60 {
				choices = append(choices, byte(rnd.Uint32()))
			}
			f.Add(byte(i), choices)
		}
	}
	f.Fuzz(func(t *testing.T, doc byte, choices []byte) {
		if len(choices) > 200 {
			return
		}
		inMemory(t)
		draw := drawFrom(choices)
		anyOrder := draw(3) == 1
		e := newEditor(t, draw, []byte(fuzzDocs[int(doc)%len(fuzzDocs)]), ".jsonc")
		for range 2 + draw(8) {
			if e.step() && draw(4) == 1 {
				e.thereAndBack()
			}
		}
		if anyOrder {
			e.undoInAnyOrder()
			return
		}
		e.undoNewestFirst()
	})
}

// FuzzUpdate runs a program over a document: its value is gojq's, and what it does not
// touch stays byte for byte.
func FuzzUpdate(f *testing.F) {
	for i, doc := range fuzzDocs {
		rnd := rand.New(rand.NewPCG(8, uint64(i)))
		for range 6 {
			f.Add([]byte(doc), byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32()))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, a, b, c, d, e byte) {
		was, err := jsonpatch.Parse(text, jsonpatch.Limits{})
		if err != nil || len(text) > 2000 || was.Repeated() != nil || !forGojq(jsonpatch.Compact(text)) {
			return
		}
		draw := drawFrom([]byte{a, b, c, d, e})
		all := placesOf(t, was)
		p := all[draw(len(all))]
		prog := drawProgram(draw, p, newNames[draw(len(newNames))], newValues[draw(len(newValues))])
		want, known := byGojq(prog.text, jsonpatch.Compact(text))
		r, err := revised(prog.text, text)
		require.Equal(t, known, err == nil, "%s of %s: %v", prog.text, text, err)
		if err != nil {
			return
		}
		is, err := was.Revise(r, jsonpatch.Style{}, jsonpatch.Limits{})
		require.NoError(t, err, "%s of %s", prog.text, text)
		prog.edit().holds(t, was, is.Doc.Bytes(), want)
	})
}
