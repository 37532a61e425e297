package main

import (
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

// settings are the names that jtx config knows, each with what its value, which is
// JSON, must be.
func settings() []setting {
	return []setting{
		{admin.SettingLog, "true or false: whether operations are logged", func(value string) bool {
			return value == "true" || value == "false"
		}},
		{txn.SettingIndent, "a number of spaces from 1 to 16, \"tab\" or \"compact\": for files that show no indent", func(value string) bool {
			_, err := txn.ParseIndent(strings.Trim(value, `"`))
			return err == nil
		}},
		{admin.SettingLogBytes, fmt.Sprintf("a number from %d: how many bytes the log of operations may have", admin.MinLogBytes), func(value string) bool {
			n, err := strconv.ParseUint(value, 10, 40)
			return err == nil && n >= admin.MinLogBytes && value[0] != '0'
		}},
		{admin.SettingIgnore, `an array of patterns, such as ["cache/**"], relative to the workspace: files left out of status, verify, recover, log, backup and protect unless they are named`, isPatterns},
	}
}

type setting struct {
	name, about string
	fits        func(value string) bool
}

// isPatterns tells whether a value is an array of patterns that stay in the workspace.
func isPatterns(value string) bool {
	var list []string
	if json.Unmarshal([]byte(value), &list) != nil || list == nil {
		return false
	}
	for _, p := range list {
		if _, err := path.Match(p, ""); err != nil || !filepath.IsLocal(filepath.FromSlash(p)) || strings.Contains(p, "\n") {
			return false
		}
	}
	return true
}

func newConfig(a *app) *cobra.Command {
	c := &configCommand{a: a}
	var about strings.Builder
	for _, s := range settings() {
		fmt.Fprintf(&about, "  %-10s %s\n", s.name, s.about)
	}
	cmd := &cobra.Command{
		Use:   "config [NAME [VALUE]]",
		Short: "show and change the workspace's settings",
		Long: `Shows what is set for the workspace, in .jtx/config.json; with NAME that setting,
and with VALUE sets it. The exit code is 1 where it is not set.

` + about.String() + `
jtx protect changes the list of protected files.`,
		Example: cli.Example(`jtx config log-bytes 1000000`, `jtx config`, `jtx config --unset log-bytes`),
		Args:    cli.Words(0, 2),
	}
	c.lock.register(cmd.Flags())
	cmd.Flags().BoolVar(&c.unset, "unset", false, "go back to the default of NAME")
	cmd.RunE = a.Verb(c.run)
	return cmd
}

type configCommand struct {
	a     *app
	lock  lockFlags
	unset bool
}

func (c *configCommand) run(cmd *cobra.Command, args []string) error {
	s, err := c.a.openStore(&c.lock)
	if err != nil {
		return err
	}
	switch {
	case c.unset && len(args) != 1:
		return cli.Missing(cmd)
	case c.unset:
		return c.change(s, args[0], nil)
	case len(args) == 2:
		return c.change(s, args[0], asJSON(args[1]))
	}
	set, err := admin.ReadSettings(c.a.Ctx, s)
	if err != nil {
		return err
	}
	if len(args) == 1 {
		c.a.Asks = true
		raw, ok := set.Values[args[0]]
		if !ok {
			return &cli.Error{Exit: cli.ExitNo, Msg: cli.QuoteWord(args[0]) + " is not set"}
		}
		if c.a.JSON {
			return c.a.WriteJSON(settingJSON{args[0], raw})
		}
		return c.a.Printf("%s\n", raw)
	}
	if c.a.JSON {
		return c.a.WriteJSON(set.Values)
	}
	t := &cli.Table{Header: []string{"NAME", "VALUE"}}
	for _, name := range sortedKeys(set.Values) {
		t.Add(name, string(set.Values[name]))
	}
	return c.a.Table(t)
}

type settingJSON struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"` // null: the default
}

// asJSON is a value as it is written in the settings: a plain word is a string.
func asJSON(word string) json.RawMessage {
	if json.Valid([]byte(word)) {
		return json.RawMessage(word)
	}
	quoted, _ := cli.QuoteJSON(word) // which fails for no word
	return quoted
}

func (c *configCommand) change(s *txn.Store, name string, raw json.RawMessage) error {
	var names []string
	for _, known := range settings() {
		names = append(names, known.name)
		if known.name != name {
			continue
		}
		if raw != nil && !known.fits(string(raw)) {
			return cli.Usagef("%s %s: want %s", name, cli.QuoteWord(string(raw)), known.about)
		}
		err := admin.ChangeSettings(c.a.Ctx, s, func(_ string, values map[string]json.RawMessage) error {
			if values[name] = raw; raw == nil {
				delete(values, name)
			}
			return nil
		})
		if err == nil && c.a.JSON {
			err = c.a.WriteJSON(settingJSON{name, raw})
		}
		return err
	}
	return cli.Usagef("unknown setting %s", cli.QuoteWord(name)).WithHint("there are: %s", strings.Join(names, ", "))
}
