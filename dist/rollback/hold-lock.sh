# shellcheck shell=bash
# Does nothing but hold the lock that it was started with, until the runner lets go or is gone.

main() { :; }
