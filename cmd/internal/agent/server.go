// Package agent serves JSON files to agents, over the Model Context Protocol: files
// inside roots, or the knowledge graph of a memory.
package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

const (
	// DefaultMaxOutput is how long the value in an answer may be, in bytes.
	DefaultMaxOutput = 64 << 10
	// maxMessage is how long a message may be, maxError what is said of an error.
	maxMessage = 16 << 20
	maxError   = 2000
)

// handler does what a tool is for. What it returns is shown as JSON.
type handler func(ctx context.Context, c *call) (any, error)

// call is one call of a tool.
type call struct {
	args  json.RawMessage
	actor string
}

// decode reads the arguments. One that the tool does not know is an error.
func (c *call) decode(v any) error {
	if err := json.Unmarshal(c.args, v); err != nil {
		return cli.Usagef("the arguments: %v", err)
	}
	return nil
}

// options are those of a change.
func (c *call) options(why string) []txn.Option {
	return []txn.Option{txn.WithActor(c.actor), txn.WithMessage(why)}
}

// newServer makes a server of tools, of which definitions is the list as it is shown. A
// tool without a handler is not there.
func newServer(name, version, instructions string, definitions []byte, handlers map[string]handler, o *mcp.ServerOptions) (*mcp.Server, error) {
	var tools []*mcp.Tool
	if err := json.Unmarshal(definitions, &tools); err != nil {
		return nil, err
	}
	o.Instructions = instructions
	s := mcp.NewServer(&mcp.Implementation{Name: name, Title: "JSON files under jtx", Version: version}, o)
	actors := &actors{}
	for _, t := range tools {
		if do := handlers[t.Name]; do != nil {
			s.AddTool(t, func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				return answer(ctx, do, req, actors.of(req.Session), t.OutputSchema == nil), nil
			})
		}
	}
	return s, nil
}

// actors names clients: by what they call themselves, and which session it is.
type actors struct {
	mu   sync.Mutex
	name map[*mcp.ServerSession]string
}

func (a *actors) of(s *mcp.ServerSession) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if name := a.name[s]; name != "" {
		return name
	}
	client := "agent"
	if p := s.InitializeParams(); p != nil && p.ClientInfo != nil && p.ClientInfo.Name != "" {
		client = p.ClientInfo.Name
	}
	id := wal.NewID().String()
	if a.name == nil {
		a.name = map[*mcp.ServerSession]string{}
	}
	a.name[s] = fmt.Sprintf("%.100s/%s", client, id[len(id)-8:])
	return a.name[s]
}

// answer runs a tool. What fails is an answer too, that the agent reads: structured
// where no schema says that it must look like a result.
func answer(ctx context.Context, do handler, req *mcp.CallToolRequest, actor string, structured bool) *mcp.CallToolResult {
	args := req.Params.Arguments
	if len(args) == 0 {
		args = json.RawMessage("{}")
	}
	var result any
	err := checkArguments(args)
	if err == nil {
		result, err = do(ctx, &call{args, actor})
	}
	if err != nil {
		f := cli.Describe(err)
		f.Message = string(cutText([]byte(f.Message), maxError))
		text := f.Message
		if f.Hint != "" {
			text += "\n" + f.Hint
		}
		r := &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: text}}}
		if structured {
			r.StructuredContent = map[string]cli.Failure{"error": f}
		}
		return r
	}
	if r, ok := result.(*mcp.CallToolResult); ok {
		return r
	}
	text := cli.EncodeJSON(result)
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(text[:len(text)-1])}}, StructuredContent: json.RawMessage(text)}
}

func checkArguments(args json.RawMessage) error {
	if _, err := jsonpatch.ParseStrict(args, jsonpatch.Limits{}); err != nil {
		return cli.InvalidIn("the arguments", err)
	}
	return nil
}

// serve runs a server on a pair of streams, until the client is gone.
func serve(ctx context.Context, s *mcp.Server, in io.ReadCloser, out io.WriteCloser) error {
	w := &lockedWriter{WriteCloser: out}
	err := s.Run(ctx, &mcp.IOTransport{Reader: newLineLimit(in, w), Writer: w, MaxLineLength: -1})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
