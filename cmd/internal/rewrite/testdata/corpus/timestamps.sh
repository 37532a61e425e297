#!/bin/bash
# unsafe: 2
now=1700000000
jq ".updated = $now" f.json > tmp.$$.json && mv tmp.$$.json f.json
jq ".history[\"$now\"] = \"seen\"" f.json > tmp.$$.json && mv tmp.$$.json f.json
