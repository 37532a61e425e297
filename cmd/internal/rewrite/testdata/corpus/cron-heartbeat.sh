#!/bin/sh
# unsafe: 1
jq --arg host "node-1" '.heartbeat[$host] = "up"' f.json > /tmp/hb.$$ && mv /tmp/hb.$$ f.json
