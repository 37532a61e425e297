#!/bin/bash
# unsafe: 1
\cp other.json f.json && echo copied
