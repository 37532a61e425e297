#!/bin/bash
# unsafe: 1
bump() { jq '.count += 1' f.json > f.tmp && mv f.tmp f.json; }
bump; bump; bump
jq .count f.json
