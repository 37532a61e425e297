#!/bin/bash
# unsafe: 2
TAG=v2
yq -i ".image = \"repo:$TAG\"" f.json
yq eval -i '.replicas = 3' f.json
