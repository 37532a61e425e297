// Package pairs puts each operation of jtx beside each other one: the first is cut off
// at every call that changes something, by the death of its process or by a power cut
// under the models of package crashfs; perhaps another program saves a file then; and
// the second one, on either of the first one's files, must find a whole and right state
// and leave one. What each operation does is said twice, as calls and as a change of a
// simple model, so a new verb joins by being listed (see operations).
//
// It proves of each pair that all files are whole, that those of a unit are in step,
// that nothing acknowledged is lost, that what the other program saved is in the file
// where the file is still there, and that verify says so.
//
// A short run draws some of the pairs by a seed; -pairs.all takes all of them:
//
//	go test ./fuzz/pairs -run TestPairs -pairs.all -timeout 0
package pairs
