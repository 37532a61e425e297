package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

// change runs fn on the graph in a transaction. fn changes the file by its places, so
// that what it doesn't touch keeps its bytes, and what is recorded is small.
func (m *Memory) change(ctx context.Context, c *call, fn func(tx *txn.Tx, g graph) error) error {
	_, err := m.Store.Do(ctx, []string{m.File}, func(tx *txn.Tx) error {
		g, err := m.graphIn(tx)
		if err != nil {
			return err
		}
		return fn(tx, g)
	}, c.options("")...)
	return err
}

// add appends to one of the document's lists, which is made where it is missing.
func (m *Memory) add(tx *txn.Tx, list string, v any) error {
	return tx.SetPath(m.File, list+"/-", v)
}

func (m *Memory) createEntities(ctx context.Context, c *call) (any, error) {
	var args struct{ Entities []entity }
	if err := c.need(&args, "entities"); err != nil {
		return nil, err
	}
	var made []entity
	err := m.change(ctx, c, func(tx *txn.Tx, g graph) error {
		made = []entity{}
		for _, e := range args.Entities {
			if slices.ContainsFunc(g.Entities, func(old entity) bool { return old.Name == e.Name }) {
				continue
			}
			if e.Observations == nil {
				e.Observations = []string{}
			}
			made = append(made, e)
			if err := m.add(tx, "/entities", e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return shown(indented(made), map[string]any{"entities": made}), nil
}

func (m *Memory) createRelations(ctx context.Context, c *call) (any, error) {
	var args struct{ Relations []relation }
	if err := c.need(&args, "relations"); err != nil {
		return nil, err
	}
	var made []relation
	err := m.change(ctx, c, func(tx *txn.Tx, g graph) error {
		made = []relation{}
		for _, r := range args.Relations {
			if slices.Contains(g.Relations, r) {
				continue
			}
			made = append(made, r)
			if err := m.add(tx, "/relations", r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return shown(indented(made), map[string]any{"relations": made}), nil
}

type addedJSON struct {
	Entity string   `json:"entityName"`
	Added  []string `json:"addedObservations"`
}

func (m *Memory) addObservations(ctx context.Context, c *call) (any, error) {
	var args struct {
		Observations []struct {
			EntityName string
			Contents   []string
		}
	}
	if err := c.need(&args, "observations"); err != nil {
		return nil, err
	}
	var added []addedJSON
	err := m.change(ctx, c, func(tx *txn.Tx, g graph) error {
		added = []addedJSON{}
		for _, o := range args.Observations {
			at := slices.IndexFunc(g.Entities, func(e entity) bool { return e.Name == o.EntityName })
			if at < 0 {
				return &cli.Error{Exit: cli.ExitNo, Msg: fmt.Sprintf("Entity with name %s not found", o.EntityName)}
			}
			one := addedJSON{o.EntityName, []string{}}
			had := g.Entities[at].Observations
			for _, text := range o.Contents {
				if slices.Contains(had, text) {
					continue
				}
				one.Added = append(one.Added, text)
				if err := m.add(tx, fmt.Sprintf("/entities/%d/observations", at), text); err != nil {
					return err
				}
			}
			g.Entities[at].Observations = append(had, one.Added...)
			added = append(added, one)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return shown(indented(added), map[string]any{"results": added}), nil
}

// done is the answer of what has none of its own.
func done(what string, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	text := what + " deleted successfully"
	return shown(text, struct {
		Success bool   `json:"success"`
		Message string `json:"message"`
	}{true, text}), nil
}

// drop removes from a list what is to go, the last first, so that places stay.
func drop[T any](m *Memory, tx *txn.Tx, list string, all []T, gone func(T) bool) error {
	for i := len(all) - 1; i >= 0; i-- {
		if gone(all[i]) {
			if err := tx.Delete(m.File, fmt.Sprintf("%s/%d", list, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Memory) deleteEntities(ctx context.Context, c *call) (any, error) {
	var args struct{ EntityNames []string }
	if err := c.need(&args, "entityNames"); err != nil {
		return nil, err
	}
	gone := func(name string) bool { return slices.Contains(args.EntityNames, name) }
	return done("Entities", m.change(ctx, c, func(tx *txn.Tx, g graph) error {
		return errors.Join(
			drop(m, tx, "/entities", g.Entities, func(e entity) bool { return gone(e.Name) }),
			drop(m, tx, "/relations", g.Relations, func(r relation) bool { return gone(r.From) || gone(r.To) }),
		)
	}))
}

func (m *Memory) deleteObservations(ctx context.Context, c *call) (any, error) {
	var args struct {
		Deletions []struct {
			EntityName   string
			Observations []string
		}
	}
	if err := c.need(&args, "deletions"); err != nil {
		return nil, err
	}
	return done("Observations", m.change(ctx, c, func(tx *txn.Tx, g graph) error {
		for at, e := range g.Entities {
			var gone []string
			for _, d := range args.Deletions {
				if d.EntityName == e.Name {
					gone = append(gone, d.Observations...)
				}
			}
			err := drop(m, tx, fmt.Sprintf("/entities/%d/observations", at), e.Observations, func(text string) bool { return slices.Contains(gone, text) })
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

func (m *Memory) deleteRelations(ctx context.Context, c *call) (any, error) {
	var args struct{ Relations []relation }
	if err := c.need(&args, "relations"); err != nil {
		return nil, err
	}
	return done("Relations", m.change(ctx, c, func(tx *txn.Tx, g graph) error {
		return drop(m, tx, "/relations", g.Relations, func(r relation) bool { return slices.Contains(args.Relations, r) })
	}))
}

// need reads the arguments, of which one must be there.
func (c *call) need(v any, name string) error {
	members := map[string]json.RawMessage{}
	if err := c.decode(&members); err != nil {
		return err
	}
	if text := string(members[name]); text == "" || text == "null" {
		return cli.Usagef("the arguments: %s is missing", name)
	}
	return c.decode(v)
}
