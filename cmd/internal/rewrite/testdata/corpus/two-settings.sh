#!/bin/bash
# unsafe: 2
jq '.count = 9' f.json > f.tmp && mv f.tmp f.json
jq '.name = "x"' f.json > f.tmp && mv f.tmp f.json
jq -c '[.count, .name]' f.json
