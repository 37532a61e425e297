package cli

import (
	"encoding/json"
	"time"

	"github.com/jtx-project/jtx/txn"
)

// EntryJSON is a transaction of the history.
type EntryJSON struct {
	TX      string       `json:"tx"`
	Time    string       `json:"time"`
	Actor   string       `json:"actor,omitempty"`
	Message string       `json:"message,omitempty"`
	Request string       `json:"request,omitempty"`
	Foreign bool         `json:"foreign,omitempty"`
	Files   []changeJSON `json:"files"`
	Others  []*JSONFile  `json:"others,omitempty"`
}

// changeJSON is what it did to one file.
type changeJSON struct {
	*JSONFile
	Rev    uint64          `json:"rev"`
	Exists bool            `json:"exists"`
	Patch  json.RawMessage `json:"patch,omitempty"`
}

// NewEntryJSON tells of an entry, with patches if it has them.
func NewEntryJSON(e txn.Entry, patches bool) EntryJSON {
	j := EntryJSON{TX: e.ID.String(), Time: e.Time.UTC().Format(time.RFC3339Nano), Actor: e.Actor, Message: e.Message, Request: e.Request, Foreign: e.Foreign, Files: []changeJSON{}}
	for _, f := range e.Files {
		c := changeJSON{JSONFile: NewJSONFile(Shown(f.File)), Rev: f.Rev, Exists: f.After.Exists}
		if patches {
			c.Patch = f.Patch.Encode()
		}
		j.Files = append(j.Files, c)
	}
	for _, name := range e.Others {
		j.Others = append(j.Others, NewJSONFile(Shown(name)))
	}
	return j
}
