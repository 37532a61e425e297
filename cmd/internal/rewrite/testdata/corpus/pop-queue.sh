#!/bin/bash
# unsafe: 1
# The element is read in one step and removed in another: both belong together.
first=$(jq -r '.list[0].id' f.json)
jq --argjson id "$first" 'del(.list[] | select(.id == $id))' f.json > f.tmp && mv f.tmp f.json
echo "took $first"
