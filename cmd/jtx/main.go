// Command jtx changes JSON files in transactions, from the shell.
package main

import (
	"os"
	"runtime"
	"runtime/debug"

	"github.com/jtx-project/jtx/wal/fsys"
)

func main() {
	growStack(len(os.Args))
	delayCollector()
	fsys.UseHugePages()
	os.Exit(program.Run(os.Args[1:]))
}

// delayCollector has the garbage collector begin only when the heap has 16 MB, instead
// of 4: most runs end before, and what a collection would free they don't need. From
// its first collection on it works as ever, so that no heap grows beyond twice what is
// in use. Who has set GOGC gets that.
func delayCollector() {
	if os.Getenv("GOGC") != "" {
		return
	}
	usual := debug.SetGCPercent(400)
	garbage := new([64]byte)
	runtime.AddCleanup(garbage, func(percent int) { debug.SetGCPercent(percent) }, usual)
}

// growStack makes room on the stack at once. Else it would be doubled again and
// again, each time with all frames on it walked and moved: a twentieth of the time
// of a short run.
//
//go:noinline
func growStack(i int) byte {
	var room [28 << 10]byte
	return room[i%len(room)]
}
