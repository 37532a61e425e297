#!/bin/bash
# unsafe: 2
echo "$(jq '.count = 11' f.json)" > f.json
echo "$(jq --arg n bob '.name = $n' f.json)" > f.json
jq -r .name f.json
