#!/bin/sh
# unsafe: 0
# Reads only, and writes what is no JSON.
jq -r '.list[].id' f.json > ids.txt
jq -e '.count > 0' f.json > /dev/null && echo "some"
jq -r '.name' f.json | tr a-z A-Z > name.tmp && mv name.tmp name.txt
cat name.txt
