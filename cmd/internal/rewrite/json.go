package rewrite

import "github.com/jtx-project/jtx/cmd/internal/cli"

// JSON is a script as jtx rewrite --json prints it, one on each line.
type JSON struct {
	*cli.JSONFile
	Written  bool          `json:"written"`        // with --write, where something was to rewrite
	Kept     *cli.JSONFile `json:"kept,omitempty"` // the script as it was
	Findings []FindingJSON `json:"findings"`       // by line
}

// FindingJSON is an unsafe write: its verdict is rewritten, partly or left alone.
type FindingJSON struct {
	Line        int    `json:"line"`
	Idiom       string `json:"idiom"`
	Verdict     string `json:"verdict"`
	Original    string `json:"original"`
	Replacement string `json:"replacement,omitempty"`
	Reason      string `json:"reason,omitempty"`
}

// JSON is what was found, without the name of the script.
func (r Result) JSON() JSON {
	j := JSON{Findings: []FindingJSON{}}
	for _, f := range r.Findings {
		j.Findings = append(j.Findings, FindingJSON{f.Line, f.Idiom, f.Verdict.String(), f.Original, f.Replacement, f.Reason})
	}
	return j
}
