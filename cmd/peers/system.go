// Command peers compares jtx with other stores. They are dependencies of this
// module alone, so that nobody who uses jtx gets them.
//
//	cd cmd/peers
//	go run .             # the tables of the README
//	go run . -targets    # what jtx is to reach, each met or missed
//	go run . -scale      # a tree of 100,000 files, beside git and tar
//	go test -bench .     # only the work in one process
package main

import (
	"fmt"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/jtx-project/jtx/txn/speed"
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
