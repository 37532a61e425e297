#!/bin/sh
# unsafe: 1
v='a b"c'
jq --arg v "$v" '.note = $v' f.json > f.tmp && mv f.tmp f.json
jq -r .note f.json
