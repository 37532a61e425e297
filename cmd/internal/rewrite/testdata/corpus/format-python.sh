#!/bin/bash
# unsafe: 1
# layout: exact
python3 -m json.tool f.json > f.tmp && mv f.tmp f.json || echo kept
