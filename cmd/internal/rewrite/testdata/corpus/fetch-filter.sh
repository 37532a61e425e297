#!/bin/sh
# unsafe: 1
curl -s https://api.example.org/users | jq '{users: .}' > users.json
jq -c . users.json
