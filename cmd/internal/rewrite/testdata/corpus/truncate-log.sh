#!/bin/bash
# unsafe: 1
truncate -s 0 events.json && echo emptied
