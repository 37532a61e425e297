package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// habits are words that people bring along from other programs, with what they mean
// here.
func habits() map[string]string {
	return map[string]string{
		"delete": "del FILE PTR, jtx rm FILE", "remove": "del FILE PTR, jtx rm FILE", "unset": "del",
		"history": "log", "revisions": "log", "rollback": "undo TX, jtx restore FILE@REV, jtx abort TX", "revert": "undo", "reset": "restore",
		"append": "set FILE PTR/- VALUE", "push": "set FILE PTR/- VALUE", "add": "set", "insert": "set", "write": "put, jtx set", "save": "put",
		"import": "put", "create": "put", "replace": "set, jtx put", "list": "status, jtx tx", "ls": "status, jtx tx", "files": "status",
		"cat": "get", "read": "get", "print": "get", "query": "get, jtx update", "jq": "get, jtx update", "sed": "update, jtx pipe",
		"rename": "mv", "move": "mv", "copy": "cp", "check-all": "verify", "fsck": "verify", "validate": "verify", "test": "verify, jtx selftest",
		"lock": "begin --lock FILE", "unlock": "locks --break TX", "start": "begin", "open": "begin", "stage": "apply", "cancel": "abort",
		"end": "commit", "finish": "commit", "tail": "watch", "follow": "watch", "annotate": "blame", "repair": "recover, jtx protect --heal",
		"fix": "recover", "heal": "protect --heal", "clean": "compact, jtx recover", "gc": "compact", "prune": "compact", "vacuum": "compact",
		"export": "backup", "dump": "get, jtx backup", "snapshots": "log", "track": "protect PATTERN", "untrack": "forget", "settings": "config",
		"transaction": "begin", "transactions": "tx", "info": "status", "format": "fmt", "pretty": "fmt", "patchfile": "patch", "apply-patch": "patch",
		"benchmark": "bench", "upgrade": "rewrite", "convert": "rewrite", "transform": "update",
	}
}

func unknownVerb(root *cobra.Command, word string) error {
	e := Usagef("unknown verb %s", QuoteWord(word))
	if known, ok := habits()[strings.ToLower(word)]; ok {
		return e.WithHint("did you mean jtx %s?", known)
	}
	var names []string
	for _, cmd := range root.Commands() {
		if !cmd.Hidden {
			names = append(names, cmd.Name())
		}
	}
	if near := nearest(word, names); near != "" {
		return e.WithHint("did you mean jtx %s?", near)
	}
	return e.WithHint("jtx help lists the verbs")
}

// flagError says which flag was meant, if one is near.
func flagError(cmd *cobra.Command, err error) error {
	e := &Error{Exit: ExitUsage, Err: err}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		add := func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		}
		cmd.Flags().VisitAll(add)
		cmd.InheritedFlags().VisitAll(add)
		if near := nearest(unknown.GetSpecifiedName(), names); near != "" {
			return e.WithHint("did you mean --%s?", near)
		}
	}
	return e.WithHint("usage: %s; a word that begins with - follows --", cmd.UseLine())
}

// hintOfMissing says which name was meant, of a file or a place, if one is near.
func hintOfMissing(err error) string {
	var e *txn.Error
	if !errors.As(err, &e) || e.File == "" {
		return ""
	}
	_, missing := os.Lstat(e.File)
	switch {
	case errors.Is(missing, fs.ErrNotExist) && errors.Is(err, txn.ErrNotFound):
		if hint := hintOfGone(e.File); hint != "" {
			return hint
		}
		return hintOfName(e.File)
	case errors.As(err, new(*history.NoVersionError)):
		return fmt.Sprintf("jtx log %s lists its versions", QuoteWord(Shown(e.File)))
	case missing == nil && e.Pointer != "" && (errors.Is(err, txn.ErrNotFound) || errors.Is(err, jsonpatch.ErrNotFound)):
		return hintOfPlace(e.File, e.Pointer)
	}
	return ""
}

// HintOfFile says which file was meant by a name that names none, "" if none is near.
func HintOfFile(name string) string { return hintOfName(name) }

func hintOfName(name string) string {
	if hint := hintOfVersion(name); hint != "" {
		return hint
	}
	dir := filepath.Dir(name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	var names []string
	for _, entry := range entries {
		if entry.Type().IsRegular() && !strings.HasPrefix(entry.Name(), ".jtx") {
			names = append(names, entry.Name())
		}
	}
	near := nearest(filepath.Base(name), names)
	if near == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %s?", QuoteWord(Shown(filepath.Join(dir, near))))
}

// VersionForms says how a version of a file is named.
const VersionForms = "a version is a revision (7), a number of versions back (-1), a transaction's id, an RFC 3339 time, or as in \"2h ago\""

// hintOfVersion is for FILE@V, where FILE is there, and V looks like no version.
func hintOfVersion(name string) string {
	at := strings.LastIndexByte(name, '@')
	if at < 1 {
		return ""
	}
	file, version := name[:at], name[at+1:]
	if _, err := os.Lstat(file); err != nil {
		return ""
	}
	if _, err := history.ParsePoint(version+" ago", time.Now()); err == nil { // 5m, which a file may be called
		return fmt.Sprintf("did you mean %s?", QuoteWord(Shown(file)+"@"+version+" ago"))
	}
	if _, err := history.ParsePoint(version, time.Now()); err == nil {
		return fmt.Sprintf("%s is there; no version of it is asked for here", QuoteWord(Shown(file)))
	}
	return fmt.Sprintf("%s is there, and %s is no version: %s", QuoteWord(Shown(file)), QuoteWord(version), VersionForms)
}

const (
	// maxLookedInto bounds the size of a document in which keys are looked for, in bytes.
	maxLookedInto = 16 << 20
	// maxKeysTold is how many keys are told where none is near.
	maxKeysTold = 8
)

// hintOfPlace tells the keys that are where a pointer leads to nothing.
func hintOfPlace(file, ptr string) string {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxLookedInto {
		return ""
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	doc, err := jsonpatch.Parse(text, jsonpatch.Limits{})
	if err != nil {
		return ""
	}
	tokens, err := jsonpatch.ParsePointer(ptr)
	if err != nil {
		return ""
	}
	for i := range tokens {
		if _, err := doc.Get(tokens[:i+1]); err == nil {
			continue
		}
		there, err := doc.Get(tokens[:i])
		if err != nil {
			return ""
		}
		return hintOfKey(jsonpatch.Compact(there), tokens[:i], tokens[i])
	}
	return ""
}

func hintOfKey(container []byte, at jsonpatch.Pointer, wanted string) string {
	where := PlaceName(at.String())
	var members map[string]json.RawMessage
	var elements []json.RawMessage
	switch {
	case json.Unmarshal(container, &elements) == nil:
		if len(elements) == 0 {
			return fmt.Sprintf("%s is an empty array; %s appends to it", where, QuoteWord(at.String()+"/-"))
		}
		return fmt.Sprintf("%s is an array of %d, from %s to %s", where, len(elements), QuoteWord(at.String()+"/0"), QuoteWord(at.String()+"/"+strconv.Itoa(len(elements)-1)))
	case json.Unmarshal(container, &members) != nil:
		return "" // the message says so
	case len(members) == 0:
		return fmt.Sprintf("%s is an empty object", where)
	}
	var names, told []string
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	if near := nearest(wanted, names); near != "" {
		return fmt.Sprintf("did you mean %s?", QuoteWord(append(slices.Clone(at), near).String()))
	}
	for _, name := range names[:min(len(names), maxKeysTold)] {
		told = append(told, QuoteWord(name))
	}
	more := ""
	if len(names) > maxKeysTold {
		more = fmt.Sprintf(" and %d more", len(names)-maxKeysTold)
	}
	return fmt.Sprintf("%s has %s%s", where, strings.Join(told, ", "), more)
}

// nearest is the word that was most likely meant, "" where none is near.
func nearest(word string, among []string) string {
	best, found := max(1, len(word)/3)+1, ""
	for _, candidate := range among {
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); candidate != word && d < best {
			best, found = d, candidate
		}
	}
	return found
}

// distance is how many letters must be put in, left out, changed, or swapped with the
// next to make one word the other: the optimal string alignment.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			change := 1
			if s[i-1] == t[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(s)][len(t)]
}
