package agent

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/jtx-project/jtx/cmd/internal/cli"
)

// checkBySchemas has each handler refuse arguments that are not as the tool's definition
// says: decoding alone takes a member that is missing for one that is empty.
func checkBySchemas(definitions []byte, handlers map[string]handler) error {
	var tools []struct {
		Name        string
		InputSchema jsonschema.Schema
	}
	if err := json.Unmarshal(definitions, &tools); err != nil {
		return err
	}
	for _, t := range tools {
		do := handlers[t.Name]
		if do == nil {
			continue
		}
		schema, err := t.InputSchema.Resolve(nil)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		handlers[t.Name] = func(ctx context.Context, c *call) (any, error) {
			var args any
			if err := c.decode(&args); err != nil {
				return nil, err
			}
			if err := schema.Validate(args); err != nil {
				return nil, cli.Usagef("the arguments: %v", err)
			}
			return do(ctx, c)
		}
	}
	return nil
}
