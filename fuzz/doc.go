// Package fuzz is the index of jtx's crash evidence. Each part below proves one
// thing, and its own documentation says what it leaves out.
//
//   - [github.com/jtx-project/jtx/fuzz/crashfs] proves that what was
//     acknowledged survives, and that what was not is whole or absent, in every
//     disk state that a model of ext4, of xfs and btrfs, or of the weakest POSIX
//     file system allows after a power cut at any event; that recovery may be cut
//     in turn; and that process death at any event loses nothing.
//
//   - [github.com/jtx-project/jtx/fuzz/killpoints] proves the same of the real
//     binary at every mutating system call it makes, with a real SIGKILL, and that
//     its answer is true when that call fails with EIO or ENOSPC instead.
//
//   - [github.com/jtx-project/jtx/fuzz/disk] proves it of ext4, xfs and btrfs
//     themselves, on loop devices: power cuts, full disks, quotas, disks that
//     become read-only.
//
//   - [github.com/jtx-project/jtx/fuzz/pairs] proves it of each operation beside
//     each other one: the first cut off at any event, perhaps an edit of another
//     program, then the second.
//
//   - The tests of this package hook these up: journal_test.go crashes package wal
//     alone, and shows that leaving out its file syncs or its directory syncs is
//     found.
//
//   - [github.com/jtx-project/jtx/fuzz/evidence] collects what all of them tried;
//     go run ./fuzz/evidence/table runs them and prints the tables of EVIDENCE.md.
//
// Nothing outside the tests imports these packages.
package fuzz
