//go:build !unix

package cli

// EndUnread does nothing where a closed pipe shows by a write alone.
func (a *App) EndUnread() {}
