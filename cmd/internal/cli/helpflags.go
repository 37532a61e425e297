package cli

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// flagHelp is what is said of a flag.
type flagHelp struct {
	*pflag.Flag
	value, usage string // the name of its value, "" where it takes none
}

// flagsOf lists flags, without the one that every program has.
func flagsOf(fs *pflag.FlagSet) (list []flagHelp) {
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		if !slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) && !strings.Contains(usage, "default ") {
			usage += " (default " + f.DefValue + ")"
		}
		list = append(list, flagHelp{f, valueName(value, f.Value.Type()), usage})
	})
	return list
}

// valueName is how the value of a flag is called where its usage names none.
func valueName(name, kind string) string {
	switch {
	case kind == "bool":
		return ""
	case name != kind:
		return name
	case kind == "duration":
		return "TIME"
	case kind == "string":
		return "TEXT"
	}
	return strings.ToUpper(name)
}

// words are the forms of the flag.
func (f flagHelp) words() string {
	text := "    "
	if f.Shorthand != "" {
		text = "-" + f.Shorthand + ", "
	}
	text += "--" + f.Name
	if f.value != "" {
		text += " " + f.value
	}
	return text
}

func flagsText(flags []flagHelp, room int) string {
	var b strings.Builder
	wide := 0
	for _, f := range flags {
		wide = max(wide, len(f.words()))
	}
	for _, f := range flags {
		head := "  " + f.words()
		indent := strings.Repeat(" ", wide+5)
		if len(indent) > room/2 { // below it, on a narrow terminal
			b.WriteString(head + "\n")
			indent = "        "
			fillLine(&b, strings.Fields(f.usage), indent, indent, room)
			continue
		}
		fillLine(&b, strings.Fields(f.usage), head+indent[len(head):], indent, room)
	}
	return b.String()
}

// flagJSON is a flag as help tells of it.
type flagJSON struct {
	Flag    string `json:"flag"`
	Short   string `json:"shorthand,omitempty"`
	Value   string `json:"value,omitempty"`
	Usage   string `json:"usage"`
	Default string `json:"default,omitempty"`
}

func (f flagHelp) json() flagJSON {
	return flagJSON{Flag: f.Name, Short: f.Shorthand, Value: f.value, Usage: f.usage, Default: f.DefValue}
}
