#!/bin/bash
# unsafe: 1
jq '.sum = (.zeta | add)' f.json > f.tmp && mv f.tmp f.json
jq .sum f.json
