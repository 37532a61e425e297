// Package disk runs jtx on real file systems, on images behind loop devices.
//
// # What it proves
//
// What package crashfs proves of models holds for ext4, xfs and btrfs
// themselves, with the kernel's own journals, allocators and write-back in it:
//
//   - Power cuts by the file system's own shutdown call ([CutPower]), at random
//     moments while several processes commit.
//   - Power cuts by replay: a [Tape] is a disk that remembers every block written
//     and every flush, so that any state can be made that a disk with a volatile
//     cache may be in: of the blocks that were not flushed each is there or not.
//   - Full disks, quotas, and file systems that become read-only.
//   - Places where a rename can't do all it does elsewhere: tmpfs, overlayfs, a
//     file that is mounted itself.
//
// Each power cut is also tried with a jtx that leaves out a kind of sync, which
// must be found.
//
// # What it does not prove
//
// A block of 4096 bytes is written whole or not at all; package crashfs tears
// them. A disk that lies about its flushes loses what it lied about.
//
// # Needs
//
// Linux, root, loop devices, the mkfs programs, and /dev/fuse for the tapes; tests
// say what is missing and skip. The whole test binary runs in a mount namespace of
// its own (see [Isolate]), so that nothing stays mounted, however it ends.
package disk
