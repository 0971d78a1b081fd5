# shellcheck shell=bash
# Protects images that run now from docker image prune, so that they can be brought back without the registry.

takes keeper
# Ids of images to protect, and of those that need it no more.
# shellcheck disable=SC2034 # keep.sh reads them by their names
takes_list kept released

main() { keep_names "$keeper" kept released; }
