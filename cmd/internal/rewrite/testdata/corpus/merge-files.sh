#!/bin/bash
# unsafe: 1
jq -s '.[0] * .[1]' f.json other.json > f.tmp && mv f.tmp f.json
jq -c '[.extra, .count]' f.json
