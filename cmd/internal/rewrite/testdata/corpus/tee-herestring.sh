#!/bin/bash
# unsafe: 1
tee new.json <<< '{"a": 1}'
