#!/bin/bash
# unsafe: 1
# layout: exact
jq --indent 4 . f.json > f.tmp && mv f.tmp f.json && echo formatted
