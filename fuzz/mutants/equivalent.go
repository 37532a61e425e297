package main

// equivalent are mutants that do what the code does, and why: nothing can kill them.
var equivalent = map[string]string{
	"unchanged: say &&: l.stateFile == nil || l.onDisk == [stateSize]byte{}": "a log without the file is refused before, and what is not known to be on the disk is never equal to what is read",
	"tryAtOnce: leave out: time.Sleep(ghostPause)":                           "a pause between looks: without it they come sooner, which only a clock could tell",
}
