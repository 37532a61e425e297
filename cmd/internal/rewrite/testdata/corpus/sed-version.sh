#!/bin/sh
# unsafe: 2
sed -i 's/"version": "[^"]*"/"version": "9.9.9"/' f.json
sed 's/"demo"/"prod"/' f.json > f.json.tmp && mv f.json.tmp f.json
grep -c prod f.json
