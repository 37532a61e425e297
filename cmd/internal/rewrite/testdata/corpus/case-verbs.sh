#!/bin/sh
# unsafe: 3
cmd=${1:-add}
case "$cmd" in
  add)
    jq '.list += [{"id": 3}]' f.json > f.tmp && mv f.tmp f.json
    ;;
  clear)
    jq '.list = []' f.json > f.tmp && mv f.tmp f.json
    ;;
  reset)
    echo '{}' > f.json
    ;;
esac
jq '.list | length' f.json
