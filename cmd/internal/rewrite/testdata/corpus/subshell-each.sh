#!/bin/bash
# unsafe: 1
for name in a b; do
  (
    cd . || exit
    jq --arg n "$name" '.seen[$n] = true' f.json > ".$name.tmp" && mv ".$name.tmp" f.json
  )
done
