#!/bin/bash
# unsafe: 1
# layout: exact
jq -S . f.json > f.tmp && mv f.tmp f.json
cat f.json
