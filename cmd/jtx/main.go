// Command jtx changes JSON files in transactions, from the shell.
package main

import "os"

func main() {
	growStack(len(os.Args))
	os.Exit(run(os.Args[1:]))
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
