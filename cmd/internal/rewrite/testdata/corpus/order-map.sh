#!/bin/bash
# unsafe: 1
jq '.zeta |= map(. + 1)' f.json > f.tmp && mv f.tmp f.json
jq -c .zeta f.json
