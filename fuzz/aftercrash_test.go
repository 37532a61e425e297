package fuzz

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal/fsys"
)

// afterCrash is a workload after whose crash, and before each look of jtx, another
// program changes a member of a file, and saves it well.
type afterCrash struct {
	*crashed
	file, member string
	saved        string // by the editor before the last look; "" where there was no file
}

func (a *afterCrash) config(t *testing.T) crashfs.Config {
	cfg := a.crashed.config(t)
	cfg.Recover, cfg.Check, cfg.States = a.recover, a.check, 120**effort
	return cfg
}

func (a *afterCrash) recover(fsy fsys.FS, dir string, cr crashfs.Crash) error {
	if err := a.edit(fsy, filepath.Join(dir, a.file), firstEdit+len(cr.Path)); err != nil {
		return err
	}
	w, err := a.open(fsy, dir, cr.Boots)
	if err != nil {
		return err
	}
	return sweep(w.store, dir)
}

// firstEdit is less than what any edit sets, and more than what any step does.
const firstEdit = 1000

func (a *afterCrash) edit(fsy fsys.FS, path string, value int) error {
	a.saved = ""
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !json.Valid(text) {
		return fmt.Errorf("%s is not whole: %q", path, text)
	}
	member := regexp.MustCompile(fmt.Sprintf(`"%s": \d+`, a.member))
	a.saved = string(member.ReplaceAll(text, fmt.Appendf(nil, `"%s": %d`, a.member, value)))
	if err := fsys.WriteFileAtomic(fsy, path, []byte(a.saved), 0o600); err != nil {
		return err
	}
	return fsys.SyncDir(fsy, filepath.Dir(path))
}

// check: but for what was edited the files are as after some step; the edit is in the
// file, or in its history and the committed version in the file; and all versions that
// were acknowledged are in the journals.
func (a *afterCrash) check(dir string, cr crashfs.Crash) error {
	now, err := a.read(dir)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(a.reachable(len(cr.Points)), func(c contents) bool { return a.stepOf(c, now) }) {
		return fmt.Errorf("after %d acknowledged steps, and an edit of %s, the files are\n%v\nexpected one of\n%v", len(cr.Points), a.member, now, a.reachable(len(cr.Points)))
	}
	w, err := a.open(fsys.OS, dir, cr.Boots)
	if err != nil {
		return err
	}
	if err := verify(w.store, dir); err != nil {
		return err
	}
	if a.saved != "" {
		if err := a.keptEdit(dir, now[a.file]); err != nil {
			return err
		}
	}
	from := 0
	if len(a.ready) == 0 {
		from = 1 // what was there is recorded with the first change
	}
	return a.checkHistory(dir, a.model[from:max(from, len(cr.Points)+1)])
}

// stepOf tells whether the files are as after a step, but for the edited member: that
// is the step's, or of an edit: of the last one, or of one before that, with which the
// last one clashes.
func (a *afterCrash) stepOf(c, now contents) bool {
	for _, name := range a.files {
		was, is := memberless(c[name], a.member), memberless(now[name], a.member)
		if name != a.file {
			was, is = memberless(c[name], ""), memberless(now[name], "")
		}
		if !reflect.DeepEqual(was, is) {
			return false
		}
	}
	value := memberOf(now[a.file], a.member)
	edited, _ := value.(float64)
	return edited > firstEdit || value == memberOf(c[a.file], a.member)
}

func memberless(text, member string) any {
	if text == "" {
		return nil
	}
	doc := decoded(text).(map[string]any)
	delete(doc, member)
	return doc
}

func memberOf(text, member string) any {
	if text == "" {
		return nil
	}
	return decoded(text).(map[string]any)[member]
}

// keptEdit looks for the edit in the file, else for its very text in the history.
func (a *afterCrash) keptEdit(dir, now string) error {
	if memberOf(now, a.member) == memberOf(a.saved, a.member) {
		return nil
	}
	ok, err := recorded(dir, a.file, a.saved)
	if err == nil && !ok {
		err = fmt.Errorf("the edit of %s is neither in the file nor in its history: %.80q", a.member, now)
	}
	return err
}

const noted = "{\n  \"v\": 1,\n  \"note\": 0,\n  \"w\": [1, 2]\n}\n"

// afterCrashPlans are workloads whose files an editor changes after the crash.
func afterCrashPlans() map[string]*workload {
	f := []string{"one/a.json", "one/b.json", "two/c.json"}
	seeds := func(files []string) map[string]string {
		all := map[string]string{}
		for _, name := range files {
			all[name] = noted
		}
		return all
	}
	plan := func(level txn.Durability, files []string, steps ...step) *workload {
		return &workload{files: files, init: true, level: level, seed: seeds(files), ready: []step{set(0, files...)}, steps: steps}
	}
	all := map[string]*workload{}
	for _, level := range []txn.Durability{txn.Full, txn.Journal} {
		all["one file/"+level.String()] = plan(level, f[:1], set(2, f[0]), set(3, f[0]), put(noted, f[0]), set(5, f[0]))
		all["units/"+level.String()] = plan(level, f, set(2, f...), set(3, f[0], f[2]), set(4, f...), set(5, f[:2]...))
	}
	all["removed"] = plan(txn.Full, f[:2], set(2, f[:2]...), do(f[:2], func(tx *txn.Tx) error { return firstError(tx.Remove(f[0]), tx.Set(f[1], "/v", 3)) }))
	all["first touch"] = &workload{files: f[:1], seed: seeds(f[:1]), steps: []step{set(2, f[0]), set(3, f[0])}}
	return all
}

// TestEditorsAfterCrashes: whatever a crash left, an editor's save before jtx looks
// takes nothing back that was committed, nor half of a unit, and is not lost itself.
func TestEditorsAfterCrashes(t *testing.T) {
	for _, member := range []string{"note", "v"} {
		for name, w := range afterCrashPlans() {
			t.Run(member+"/"+name, func(t *testing.T) {
				a := &afterCrash{crashed: &crashed{workload: w}, file: "one/a.json", member: member}
				explore(t, kindEditorAfter, a.config(t))
			})
		}
	}
}
