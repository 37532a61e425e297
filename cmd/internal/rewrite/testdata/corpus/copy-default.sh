#!/bin/sh
# unsafe: 1
[ -f f.json ] || cp other.json f.json
jq -e .count f.json
