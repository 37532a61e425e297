// Package environs runs one black-box suite, every verb of the real binary that
// changes something, in one environment after the other: under kernels that refuse
// a system call (refuse_linux.go), on file systems that lack one or don't tell case
// apart (mounts), where nothing may be written, where the disk is full (room), for two
// users of a group and in a directory that is one user's alone (people). What a machine
// lacks for one of them, root, FUSE, a loop device or a kernel's feature, makes its test
// skip, and say so.
//
// What it proves: a verb does in each environment what it does on a plain disk, to
// the byte, or it says no, with exit code 7, and has changed nothing. It kills
// nothing and cuts no power: packages killpoints, crashfs and disk do.
package environs
