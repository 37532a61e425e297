#!/bin/sh
# unsafe: 1
sh -c 'jq ".count = 12" f.json > f.tmp && mv f.tmp f.json'
