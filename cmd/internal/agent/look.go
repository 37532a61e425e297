package agent

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/cmd/internal/jq"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// searchTime bounds a search: a jq program may go on for ever.
const searchTime = 10 * time.Second

func parseID(text string) (wal.ID, error) {
	id, err := wal.ParseID(text)
	if err != nil {
		return id, cli.Usagef("%s is no transaction's id", cli.QuoteWord(text))
	}
	return id, nil
}

// cutText is the beginning of a text, which ends with a whole character.
func cutText(text []byte, n int) []byte {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

type historyJSON struct {
	Transactions []cli.EntryJSON `json:"transactions"`
	Skip         int             `json:"next_skip,omitempty"` // there may be more behind these
}

func (f *files) history(ctx context.Context, c *call) (any, error) {
	args := struct {
		File, Since  string
		Number, Skip int
	}{Number: 20}
	if err := c.decode(&args); err != nil {
		return nil, err
	}
	names := []string(f.roots)
	if args.File != "" {
		file, err := f.roots.file(args.File)
		if err != nil {
			return nil, err
		}
		names = []string{file}
	}
	o := history.LogOptions{Patches: true}
	if args.Since != "" {
		p, err := history.ParsePoint(args.Since, time.Now())
		if err != nil {
			return nil, cli.Usagef("%s is neither a time nor a transaction", cli.QuoteWord(args.Since))
		}
		o.Since = p
	}
	list, size, n := historyJSON{Transactions: []cli.EntryJSON{}}, 0, 0
	for e, err := range history.Log(ctx, f.store(), names, o) {
		if err != nil {
			return nil, err
		}
		if n++; n <= args.Skip {
			continue
		}
		entry := f.entry(e)
		if size += len(cli.EncodeJSON(entry)); len(list.Transactions) == args.Number || size > f.MaxOutput && len(list.Transactions) > 0 {
			list.Skip = n - 1
			break
		}
		list.Transactions = append(list.Transactions, entry)
	}
	return list, nil
}

// entry is a transaction, without patches where they are too long by themselves, and
// without the names of files that are outside of the roots.
func (f *files) entry(e history.Entry) cli.EntryJSON {
	e.Others = slices.DeleteFunc(slices.Clone(e.Others), func(name string) bool {
		_, err := f.roots.file(name)
		return err != nil
	})
	entry := cli.NewEntryJSON(e, true)
	if len(cli.EncodeJSON(entry)) > f.MaxOutput {
		return cli.NewEntryJSON(e, false)
	}
	return entry
}

type diffJSON struct {
	*cli.JSONFile
	From  uint64          `json:"from"`
	To    uint64          `json:"to"`
	Patch json.RawMessage `json:"patch,omitempty"`
	// Why there is no patch.
	TooLong string `json:"too_long,omitempty"`
}

func (f *files) diff(ctx context.Context, c *call) (any, error) {
	var args struct{ File, From, To string }
	if err := c.decode(&args); err != nil {
		return nil, err
	}
	file, err := f.roots.file(args.File)
	if err != nil {
		return nil, err
	}
	if args.From == "" {
		return nil, cli.Usagef("from is missing")
	}
	a, from, err := f.version(ctx, file, args.From)
	if err != nil {
		return nil, err
	}
	b, to, err := f.version(ctx, file, args.To)
	if err != nil {
		return nil, err
	}
	patch, err := jsonpatch.Diff(a, b)
	if err != nil {
		return nil, err
	}
	d := diffJSON{JSONFile: cli.NewJSONFile(args.File), From: from.Rev, To: to.Rev, Patch: patch.Encode()}
	if len(d.Patch) > f.MaxOutput {
		d.Patch, d.TooLong = nil, "the patch is too long: compare versions that are nearer to each other, or read places of both with json_read"
	}
	return d, nil
}

type searchJSON struct {
	Results []foundJSON `json:"results"`
	// Failed are files that the program, or reading, failed for.
	Failed []failedJSON `json:"failed,omitempty"`
	Cut    string       `json:"cut,omitempty"` // there is more than is shown
}

type foundJSON struct {
	*cli.JSONFile
	Rev    uint64            `json:"rev"`
	Values []json.RawMessage `json:"values"`
}

type failedJSON struct {
	*cli.JSONFile
	Error string `json:"error"`
}

// errCut ends a search whose results are too long.
var errCut = errors.New("cut")

func (f *files) search(ctx context.Context, c *call) (any, error) {
	var args struct {
		Program string
		Files   []string
	}
	if err := c.decode(&args); err != nil {
		return nil, err
	}
	// What the environment holds is none of an agent's business.
	program, err := jq.Compile(args.Program, nil, func() []string { return nil })
	if err != nil {
		return nil, err
	}
	names, err := f.roots.files(args.Files)
	if err == nil && len(names) == 0 {
		names, err = f.tracked(ctx)
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, searchTime, cli.Invalidf("the search took longer than %s", searchTime))
	defer cancel()
	all, left := searchJSON{Results: []foundJSON{}}, f.MaxOutput
	for _, name := range names {
		found, err := f.searchOne(ctx, name, program, &left)
		if len(found.Values) > 0 {
			all.Results = append(all.Results, found)
		}
		switch {
		case errors.Is(err, errCut):
			all.Cut = "there is more than is shown: narrow the program, or name fewer files"
			return all, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			all.Failed = append(all.Failed, failedJSON{found.JSONFile, cli.Describe(err).Message})
		}
	}
	return all, nil
}

func (f *files) searchOne(ctx context.Context, name string, program *jq.Program, left *int) (foundJSON, error) {
	found := foundJSON{JSONFile: cli.NewJSONFile(cli.Shown(name))}
	v, err := f.value(ctx, name, "", "")
	if err != nil {
		return found, err
	}
	if !v.Exists {
		return found, &txn.Error{Kind: txn.ErrNotFound, File: name, Err: errors.New("no such file")}
	}
	found.Rev = v.Rev
	return found, program.Each(ctx, v.Value, func(value []byte) error {
		if *left -= len(value) + 1; *left < 0 {
			return errCut
		}
		found.Values = append(found.Values, value)
		return nil
	})
}

// tracked are the files below the roots that are there.
func (f *files) tracked(ctx context.Context) ([]string, error) {
	st, err := admin.Status(ctx, f.store(), f.roots)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range st.Files {
		if real, err := f.roots.file(file.File); err == nil && file.Condition != "deleted" {
			names = append(names, real)
		}
	}
	return names, nil
}

type stateJSON struct {
	*cli.JSONFile
	Rev       uint64 `json:"rev"`
	Condition string `json:"condition"`
	Error     string `json:"error,omitempty"`
}

type statusJSON struct {
	Files []stateJSON `json:"files"`
	Total int         `json:"total"` // of all, where some are not shown
}

func (f *files) status(ctx context.Context, c *call) (any, error) {
	var args struct{ Files []string }
	if err := c.decode(&args); err != nil {
		return nil, err
	}
	paths, err := f.roots.files(args.Files)
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		paths = f.roots
	}
	st, err := admin.Status(ctx, f.store(), paths)
	if err != nil {
		return nil, err
	}
	// What needs attention goes first: the rest may be cut off.
	slices.SortStableFunc(st.Files, func(a, b admin.FileStatus) int {
		switch {
		case a.Condition != "clean" && b.Condition == "clean":
			return -1
		case a.Condition == "clean" && b.Condition != "clean":
			return 1
		}
		return 0
	})
	list, left := statusJSON{Files: []stateJSON{}, Total: len(st.Files)}, f.MaxOutput
	for _, file := range st.Files {
		state := stateJSON{JSONFile: cli.NewJSONFile(cli.Shown(file.File)), Rev: file.Rev, Condition: file.Condition}
		if file.Err != nil {
			state.Error = cli.Describe(file.Err).Message
		}
		if left -= len(cli.EncodeJSON(state)); left < 0 {
			break
		}
		list.Files = append(list.Files, state)
	}
	return list, nil
}
