// Package crashfs records what a workload does to a directory, derives the disk
// states that a power cut at any event could have left, and runs recovery and a
// checker on each.
//
// # What it proves
//
//   - [Recorder] performs every operation for real and logs it in one total
//     order, by inode, so that identity survives renames. Writes that libraries
//     make past the interface (tidwall/wal writes its segments itself, an editor
//     saves in the middle of a commit) are found by comparing the directory with
//     the recorder's model of it before every event, and are logged as unsynced.
//   - [Model] says which disk states are legal after a cut. A state that a model
//     makes is one that the assumptions in DESIGN.md allow, so a violation is a
//     fault of the protocol and not of the model.
//   - [Explore] runs recovery and the checker on those states, all of them where
//     they are few and a seeded sample otherwise, and cuts recovery in turn.
//
// # The models
//
// In every model fsync of a file makes durable what was written to it before the
// call started, its size and its mode, but not its name; fsync of a directory
// makes durable its entries as of when the call started. A failed fsync makes nothing durable, and
// what it covered stays undurable although later calls succeed.
//
//   - kill: process death. Every event up to the cut is there.
//   - ext4: names persist as a prefix of the order in which they were changed.
//     Unsynced appends persist as a prefix, cut at a sector, without holes;
//     overwrites in any subset of sectors. Nothing is assumed of auto_da_alloc:
//     a file renamed into place without its own fsync may be empty.
//   - xfs (and btrfs): as ext4, but a size may persist without its data, which
//     then reads as zeros, in any subset of sectors.
//   - posix: any subset of the undurable changes of names, in any order; a rename
//     may leave the old name beside the new one, a move between directories may
//     lose either side; unsynced data tears at any byte, survives in any subset of
//     sectors or pages, reads as zeros or as garbage. A rename within a
//     directory leaves the old file or the new one under the new name.
//
// The ext4 and xfs models let fsync of a file make no name durable, which those
// file systems in fact do; so they allow a few more states than the kernel does.
// They are subsets of posix: they are there because they are small enough to be
// tried completely.
//
// # What it does not prove
//
// Extended attributes, access lists and times are not modelled. A failed call
// other than a write or a sync is taken to have done nothing. A move of a whole
// directory is atomic in every model. Materialised files have new inode numbers and times:
// recovery must be told that the machine was rebooted ([Crash].Boots).
package crashfs
