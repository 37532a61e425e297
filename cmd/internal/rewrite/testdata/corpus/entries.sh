#!/bin/bash
# unsafe: 2
jq '.pairs = (.zeta | to_entries | map(.key))' f.json > f.tmp && mv f.tmp f.json
jq '.zeta |= with_entries(.value += 1)' f.json > f.tmp && mv f.tmp f.json
jq -c .pairs f.json
