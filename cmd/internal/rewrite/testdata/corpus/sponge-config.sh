#!/bin/sh
# unsafe: 2
jq '.zeta.b = 5' f.json | sponge f.json
jq 'del(.list)' f.json | sponge f.json
echo configured
