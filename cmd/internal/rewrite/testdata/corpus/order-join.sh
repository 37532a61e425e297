#!/bin/bash
# unsafe: 1
jq '.names = (.zeta | keys_unsorted | join(","))' f.json > f.tmp && mv f.tmp f.json
jq -r .names f.json
