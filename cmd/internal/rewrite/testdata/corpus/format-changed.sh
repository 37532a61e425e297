#!/bin/bash
# unsafe: 1
# layout: exact
jq --indent 1 '.count += 1' f.json > f.tmp && mv f.tmp f.json
sed -n 2p f.json
