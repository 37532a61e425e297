package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/txn"
)

// settings are the names that jtx config knows, each with what its value, which is
// JSON, must be.
var settings = []struct {
	name, about string
	fits        func(value string) bool
}{
	{txn.SettingLog, "true or false: whether operations are logged", func(value string) bool {
		return value == "true" || value == "false"
	}},
	{txn.SettingLogBytes, fmt.Sprintf("a number from %d: how many bytes the log of operations may have", txn.MinLogBytes), func(value string) bool {
		n, err := strconv.ParseUint(value, 10, 40)
		return err == nil && n >= txn.MinLogBytes && value[0] != '0'
	}},
}

func newConfig(a *app) *cobra.Command {
	c := &configCommand{a: a}
	var about strings.Builder
	for _, s := range settings {
		fmt.Fprintf(&about, "  %-10s %s\n", s.name, s.about)
	}
	cmd := &cobra.Command{
		Use:   "config [NAME [VALUE]]",
		Short: "show and change the workspace's settings",
		Long: `Shows what is set for the workspace, in .jtx/config.json; with NAME that setting,
and with VALUE sets it. The exit code is 1 where it is not set.

` + about.String() + `
jtx protect changes the list of protected files.`,
		Example: example(`jtx config log-bytes 1000000`, `jtx config`, `jtx config --unset log-bytes`),
		Args:    words(0, 2),
	}
	c.lock.register(cmd.Flags())
	cmd.Flags().BoolVar(&c.unset, "unset", false, "go back to the default of NAME")
	cmd.RunE = a.verb(c.run)
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
		return missing(cmd)
	case c.unset:
		return c.change(s, args[0], nil)
	case len(args) == 2:
		return c.change(s, args[0], json.RawMessage(args[1]))
	}
	set, err := s.Settings(c.a.ctx)
	if err != nil {
		return err
	}
	if len(args) == 1 {
		c.a.asks = true
		raw, ok := set.Values[args[0]]
		if !ok {
			return &cliError{exit: exitNo, msg: quoteWord(args[0]) + " is not set"}
		}
		return c.a.printf("%s\n", raw)
	}
	if c.a.json {
		return c.a.writeJSON(set.Values)
	}
	t := &table{header: []string{"NAME", "VALUE"}}
	for _, name := range sortedKeys(set.Values) {
		t.add(name, string(set.Values[name]))
	}
	return c.a.table(t)
}

func (c *configCommand) change(s *txn.Store, name string, raw json.RawMessage) error {
	var names []string
	for _, known := range settings {
		names = append(names, known.name)
		if known.name != name {
			continue
		}
		if raw != nil && !known.fits(string(raw)) {
			return usagef("%s %s: want %s", name, quoteWord(string(raw)), known.about)
		}
		return s.ChangeSettings(c.a.ctx, func(_ string, values map[string]json.RawMessage) error {
			if values[name] = raw; raw == nil {
				delete(values, name)
			}
			return nil
		})
	}
	return usagef("unknown setting %s", quoteWord(name)).withHint("there are: %s", strings.Join(names, ", "))
}
