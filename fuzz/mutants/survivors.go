package main

// survivors are mutants that an earlier trial's tests let live.
var survivors = []string{}
