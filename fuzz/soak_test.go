package fuzz

func childIncrement(dir, arg string) error { return nil }
func childTransfer(dir, arg string) error  { return nil }
func childNested(dir, arg string) error    { return nil }
