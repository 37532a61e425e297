package recovery

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// A spare is a file that a replacement took out from under the name, kept to be
// overwritten by a later content. To make a file, to give it blocks, to make its
// metadata durable and to remove another one costs a file system more than all else
// in a commit: one writer is 1.2 to 1.9 times as fast by spares, a unit of eight files
// 1.2 to 2.3 times (cmd/peers/README.md).
//
// It is overwritten only where nobody could see that:
//
//   - Its exchange is durable: else a power cut could bring its half-written bytes
//     back under the user's name. Where the directory is not synced in each commit, it
//     is beside the next one's other syncs; so there are two spares then, in turn.
//   - Nobody has it open: who opened the file before the exchange may read it for as
//     long as he likes. A write lease (fcntl(2), F_SETLEASE) tells that, and is held
//     until the content is committed: a program that had looked the name up before the
//     exchange, and opens the file only now, waits for that.
//   - It has no other name. A copy made of hard links would change.
//   - It has all of the metadata that the content is to get.
//
// It lies beside the journal, where nobody sees it, while the file is locked. What a
// crash leaves of it is overwritten by a rename, or removed by recovery.
//
// The file system must be one of a single machine that is known to count who has a file
// open (ext4, xfs, btrfs, f2fs, tmpfs). Where a commit is withdrawn, or its process killed in
// it, a program that has lain between two steps of one open since before the last commit
// reads a content that never was committed, or half of one. Write-behind's catching up makes
// a file, since its session ends with it. TestSparesSurviveCrashes cuts the power at each
// step, TestSparesWithoutSyncsAreFound finds a directory that was not synced,
// TestSparesAreLeftAlone and TestWhoOpensASpareWaits try each condition.
type spare struct {
	name    string
	id      wal.FileID
	durable bool // its exchange is
}

// keepsSpare tells whether the displaced file can be a spare. What this process did
// not stage itself may have metadata that is not durable.
func (r *Replacement) keepsSpare(displaced fs.FileInfo) bool {
	const special = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky // which a write clears
	return !r.Unsynced && r.Version.Exists && r.File.Found.staged && r.moved == nil &&
		displaced.Mode()&special == 0 && leasesHold(r.temp)
}

// keepSpare makes the displaced file a spare.
func (r *Replacement) keepSpare(displaced fs.FileInfo) error {
	name := r.File.freeSpareName()
	if err := r.File.FS.Rename(Displaced(r.File.Target), name); err != nil {
		return err
	}
	r.File.spares = append(r.File.spares, spare{name: name, id: wal.FileIDOf(displaced)})
	return nil
}

func (f *File) spareNames() []string {
	return []string{filepath.Join(f.Dir, "spare"), filepath.Join(f.Dir, "spare2")}
}

func (f *File) freeSpareName() string {
	names := f.spareNames()
	if slices.ContainsFunc(f.spares, func(s spare) bool { return s.name == names[0] }) {
		return names[1]
	}
	return names[0]
}

// openSpare opens a spare for the next content, under a lease. If it must not be
// overwritten there will be no spares for a while.
func (r *Replacement) openSpare() bool {
	i := slices.IndexFunc(r.File.spares, func(s spare) bool { return s.durable })
	if i < 0 || r.Like != nil || r.Guarded {
		return false
	}
	s := r.File.spares[i]
	f, err := r.File.FS.OpenFile(s.name, os.O_RDWR|fsys.NoFollow, 0)
	if err == nil && r.mayOverwrite(f, s.id) {
		r.File.spares = slices.Delete(r.File.spares, i, i+1)
		r.temp, r.tempName, r.refilled = f, s.name, true
		return true
	}
	if err == nil {
		f.Close() // it was opened for nothing
	}
	r.File.DropSpares()
	return false
}

func (r *Replacement) mayOverwrite(f fsys.File, id wal.FileID) bool {
	if fsys.Lease(f) != nil {
		return false
	}
	info, err := f.Stat()
	return err == nil && sameButRenamed(wal.FileIDOf(info), id) && hasOneName(info) &&
		sameAccess(info, r.File.Found.Info) && sameXattrs(f, r.File.Target)
}

// refill overwrites the spare.
func (r *Replacement) refill() error {
	if err := r.write(); err != nil {
		return err
	}
	info, err := r.temp.Stat()
	if err != nil || info.Size() == int64(len(r.Data)) {
		return err
	}
	return r.temp.Truncate(int64(len(r.Data)))
}

// unlease lets those open the spare who wait to: its content is committed.
func (r *Replacement) unlease() error {
	if !r.refilled {
		return nil
	}
	return fsys.Unlease(r.temp)
}

// WaitsForDir tells whether a spare waits for a sync of the directory.
func (f *File) WaitsForDir() bool {
	return slices.ContainsFunc(f.spares, func(s spare) bool { return !s.durable })
}

// DirSynced takes note that the directory was synced since the last replacement.
func (f *File) DirSynced() {
	for i := range f.spares {
		f.spares[i].durable = true
	}
}

// DropSpares removes the spares. It is called before the file's lock is given back.
// One that can't be removed is left to recovery.
func (f *File) DropSpares() {
	for _, s := range f.spares {
		_ = f.removeIfThere(s.name)
	}
	f.spares = nil
}
