// Command peers compares jtx with other stores. They are dependencies of this
// module alone, so that nobody who uses jtx gets them.
//
//	cd txn/peers
//	go run .             # the tables of the README
//	go run . -targets    # what jtx is to reach, each met or missed
//	go run . -tail       # a shared log for all files, a prototype, at distinct documents and units
//	go test -bench .     # only the work in one process
package main

import (
	"fmt"
	"slices"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/jtx-project/jtx/txn/speed"
	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// systems are jtx and its peers, in the order of the tables' columns.
func systems() []speed.System {
	return append(speed.JTX(),
		speed.System{Name: "sqlite", Open: openSQLite},
		speed.System{Name: "sqlite-batched", Open: openSQLiteBatched},
		speed.System{Name: "bbolt", Open: openBolt},
		speed.System{Name: "bbolt-batch", Open: openBoltBatch},
		speed.System{Name: "pebble", Open: openPebble},
		speed.System{Name: "renameio", Open: openRenameio},
		speed.System{Name: "renameio-dirsync", Open: openRenameioDirsync},
		speed.System{Name: "natefinch", Open: openNatefinch},
	)
}

// tailRows are the work that the shared log is for.
func tailRows() []speed.Row {
	rows := []speed.Row{
		{Name: "distinct/1", Title: "1 goroutine on 1 document", Size: measure.Small, Copies: 1, Workers: 1, Unit: 1},
		{Name: "distinct/8", Title: "8 goroutines on 8 documents", Size: measure.Small, Copies: 8, Workers: 8, Unit: 1},
	}
	for _, r := range speed.Rows() {
		if r.Name == "distinct/64" || r.Name == "one-document/64" || r.Unit > 1 {
			rows = append(rows, r)
		}
	}
	return rows
}

// tailSystems are the shared log, and those that it is to be compared with.
func tailSystems() []speed.System {
	shared := speed.System{Name: "shared-log", Open: openTailed, Counted: true}
	return append(slices.DeleteFunc(systems(), func(s speed.System) bool {
		return !slices.Contains([]string{"jtx-write-behind", "sqlite", "sqlite-batched", "pebble"}, s.Name)
	}), shared)
}

// added is a document with 1 added to its number, by the quickest way that its
// own library has.
func added(doc []byte) ([]byte, error) {
	n, err := numberIn(doc)
	if err != nil {
		return nil, err
	}
	return sjson.SetBytes(doc, "n", n+1)
}

func numberIn(doc []byte) (int, error) {
	v := gjson.GetBytes(doc, "n")
	if v.Type != gjson.Number {
		return 0, fmt.Errorf("no number in %d bytes", len(doc))
	}
	return int(v.Int()), nil
}

// key is the name of a document.
func key(doc int) []byte { return fmt.Appendf(nil, "doc%d", doc) }
