#!/bin/bash
# unsafe: 1
# layout: exact
jq . f.json > f.tmp && mv f.tmp f.json
head -n 2 f.json
