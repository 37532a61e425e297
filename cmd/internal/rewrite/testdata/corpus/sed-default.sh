#!/bin/bash
# unsafe: 1
sed -i 's/"demo"/"live"/' f.json && jq -r .name f.json
