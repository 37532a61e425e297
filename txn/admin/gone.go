package admin

import (
	"context"
	"errors"
	"slices"
)

// errDeleted is why a protected file is brought back that another program removed.
var errDeleted = errors.New("the file was deleted outside")

// deletedProtected lists the protected files around the store's directory that were
// deleted outside.
func (s house) deletedProtected(ctx context.Context) ([]string, error) {
	list, err := Protections(ctx, s.store)
	if err != nil {
		return nil, err
	}
	var roots []string
	for _, p := range list {
		if !slices.Contains(roots, p.Root) {
			roots = append(roots, p.Root)
		}
	}
	if len(roots) == 0 {
		return nil, nil
	}
	sc, err := s.Scope(ctx, roots)
	if err != nil {
		return nil, err
	}
	return s.DeletedAmong(sc, list)
}
