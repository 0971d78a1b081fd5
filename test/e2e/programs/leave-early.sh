# shellcheck shell=bash
# Ends well before anything has begun: its exit is 0.

exit 0
