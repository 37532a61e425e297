package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/backup"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// HintOf is what the user can do about an error, empty where that is plain.
func HintOf(err error) string {
	var kept *KeptText
	if errors.As(err, &kept) {
		return "your text is kept in " + QuoteWord(kept.Path)
	}
	var own *Error
	if errors.As(err, &own) && own.Hint != "" {
		return own.Hint
	}
	var with *Hinted
	if errors.As(err, &with) {
		return with.Hint
	}
	if hint := hintOfDoubt(err); hint != "" {
		return hint
	}
	for _, find := range []func(error) string{hintOfLock, hintOfUndo, hintOfDamage, hintOfText, hintOfMissing, hintOfSystem} {
		if h := find(err); h != "" {
			return h
		}
	}
	return ""
}

func hintOfDoubt(err error) string {
	var doubt *recovery.InDoubtError
	switch {
	case errors.As(err, &doubt):
		return fmt.Sprintf("bring %s back; where it is gone for good, decide: jtx recover --decide committed|discarded %s", QuoteWord(Shown(doubt.Path)), doubt.Unit)
	case errors.Is(err, txn.ErrInDoubt):
		return "jtx recover decides"
	}
	return ""
}

func hintOfLock(err error) string {
	var timeout *lockmgr.TimeoutError
	switch {
	case !errors.As(err, &timeout):
		return ""
	case timeout.Known && timeout.Holder.Suspended:
		return fmt.Sprintf("that process is suspended: kill -CONT %d lets it go on, and its death ends the lock", timeout.Holder.PID)
	case timeout.Lease != nil:
		if pid, suspended := timeout.Lease.Suspended(); suspended {
			return fmt.Sprintf("the process that has the lease is suspended: kill -CONT %d lets it go on, jtx locks --break %s ends the lease", pid, timeout.Lease.Tx)
		}
		return fmt.Sprintf("wait longer with --lock-timeout, or end the lease with: jtx locks --break %s", timeout.Lease.Tx)
	default:
		return "wait longer with --lock-timeout; jtx locks shows who holds and who waits"
	}
}

// hintOfUndo names the way out of what can't be taken back by itself.
func hintOfUndo(err error) string {
	var c *history.UndoConflict
	switch {
	case !errors.As(err, &c):
		return ""
	case c.Undone:
		return fmt.Sprintf("jtx undo %s does it again", c.Later)
	case c.Rev == 0:
		return fmt.Sprintf("jtx undo --since %s takes back what came later too", c.Tx)
	}
	return fmt.Sprintf("jtx undo --since %s takes back what came later too; jtx restore %s brings the whole file back as it was before",
		c.Tx, QuoteWord(fmt.Sprintf("%s@%d", Shown(c.File), c.Rev)))
}

func hintOfDamage(err error) string {
	var damaged *recovery.DamagedError
	if errors.As(err, &damaged) {
		kept := ""
		if damaged.Aside != "" {
			kept = fmt.Sprintf("; the damaged bytes are kept in %s", QuoteWord(Shown(damaged.Aside)))
		}
		return fmt.Sprintf("jtx restore %s brings revision %d back; a file that is mended by hand is taken as it is%s",
			QuoteWord(Shown(damaged.File)), damaged.Rev, kept)
	}
	if errors.Is(err, backup.ErrBad) {
		return "jtx backup --check shows all that is wrong with it; what is whole in it is brought back"
	}
	var none *admin.NoVersionError
	if errors.As(err, &none) {
		return "mend it, or take it from a backup: its history begins once it holds JSON"
	}
	var tx *txn.TxDamagedError
	if errors.As(err, &tx) {
		return fmt.Sprintf("it has changed no file; jtx abort %s forgets it", tx.ID)
	}
	if errors.Is(err, wal.ErrVersion) {
		return "a newer jtx wrote it: use that"
	}
	var corrupt *wal.CorruptError
	if file := fileOf(err); errors.As(err, &corrupt) && file != "" {
		name := QuoteWord(Shown(file))
		return fmt.Sprintf("jtx get %s@REV still reads versions before the damage; jtx recover --set-aside %s keeps the journal aside and begins a new one with what the file holds", name, name)
	}
	if errors.Is(err, txn.ErrDamaged) && !errors.Is(err, txn.ErrFormat) {
		return "jtx verify shows the extent; nothing is discarded until jtx recover or jtx restore is told to"
	}
	return ""
}

func hintOfText(err error) string {
	var ptr *jsonpatch.PointerError
	if errors.As(err, &ptr) && !strings.HasPrefix(ptr.Pointer, "/") {
		if errors.Is(err, jsonpatch.ErrPatch) {
			return fmt.Sprintf("a place in a patch is a pointer, such as %s", QuoteWord("/"+strings.TrimLeft(ptr.Pointer, ".#/")))
		}
		if ptr.Pointer == "ago" {
			return "a time of two words is quoted, as in 'FILE@2h ago'; a place is a pointer, such as /ago"
		}
		return fmt.Sprintf("a place is a pointer, such as %s, or a jq path, such as .a.b[0]", QuoteWord("/"+strings.TrimPrefix(ptr.Pointer, "#/")))
	}
	var syn *jsonpatch.SyntaxError
	var own *Error
	if errors.As(err, &syn) && fileOf(err) != "" && !errors.As(err, &own) {
		return "the file itself holds no JSON, and is left as it is: mend it, or move it away, and run this again"
	}
	if name := fileOf(err); name != "" && errors.Is(err, jsonpatch.ErrRepeated) {
		return fmt.Sprintf("jtx edit %s mends it; so does jtx pipe %[1]s -- jq . , which keeps the last one of each name", QuoteWord(name))
	}
	if errors.Is(err, recovery.ErrNotRegular) {
		return "jtx keeps JSON in ordinary files only"
	}
	return ""
}

func hintOfSystem(err error) string {
	switch {
	case errors.Is(err, fsys.ErrPlanted):
		return "below .jtx there are only files and directories that jtx has made: move what isn't one away, and run this again"
	case errors.Is(err, lockmgr.ErrNoLocks):
		return "the file system, its server or a sandbox refuses flock(2); jtx selftest shows what a directory has"
	case errors.Is(err, txn.ErrDevelopment):
		return "the files themselves are whole; with .jtx moved away (mv .jtx .jtx.old) their histories begin anew"
	case errors.Is(err, txn.ErrFormat) && !errors.Is(err, txn.ErrDamaged):
		return "a newer jtx made this workspace: use that"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room and run it again"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return hintOfAccess(err)
	}
	return ""
}

// hintOfAccess explains the names that jtx makes beside a file, which its user
// has never heard of.
func hintOfAccess(err error) string {
	var path *fs.PathError
	if !errors.As(err, &path) {
		return ""
	}
	replaced := path.Op == "replace"
	if replaced && errors.Is(err, syscall.EPERM) {
		return "it may be immutable (lsattr shows that), or another user's in a sticky directory, where --in-place writes into it if its mode allows that"
	}
	if !replaced && !strings.Contains(path.Path, "/.jtx") {
		return ""
	}
	if f, err := os.OpenFile(path.Path, os.O_RDONLY|fsys.NonBlock, 0); errors.Is(err, fs.ErrPermission) {
		return "it can't be read: that needs read permission for it, and search permission for the directories above it"
	} else if err == nil {
		_ = f.Close() // nothing was written to it
	}
	if errors.Is(err, syscall.EROFS) {
		return "the file system is mounted read-only: what is there can be read, and backed up"
	}
	return "a change needs write permission for the file's directory and for the .jtx directory that covers it"
}
