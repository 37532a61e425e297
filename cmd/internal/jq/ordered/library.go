package ordered

import (
	_ "embed"
	"sync"

	"github.com/itchyny/gojq"
)

//go:embed library.jq
var libraryText string

// library are the functions that are defined in jq's own language, by name.
var library = sync.OnceValue(func() map[string]*closure {
	q, err := gojq.Parse(libraryText + " .")
	if err != nil {
		panic(err) // the text is a part of the program
	}
	fns := map[string]*closure{}
	for _, def := range q.FuncDefs {
		name := signature(def.Name, len(def.Args))
		fns[name] = &closure{params: def.Args, body: def.Body, def: true, name: name}
	}
	return fns
})

// refused are functions that read something else than the document.
var refused = map[string]bool{"input/0": true, "inputs/0": true, "modulemeta/0": true, "builtins/0": true, "debug/0": true, "debug/1": true, "stderr/0": true, "input_line_number/0": true, "input_filename/0": true}
