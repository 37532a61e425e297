// Command jtx changes JSON files in transactions, from the shell.
package main

import "os"

func main() { os.Exit(run(os.Args[1:])) }
