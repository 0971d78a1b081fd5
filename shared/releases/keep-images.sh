# shellcheck shell=bash
# Protects images that run now from docker image prune, so that they can be brought back without the registry.

takes keeper
# Ids of images to protect, and of those that need it no more.
takes_list kept released

main() { keep_names "$keeper" kept released; }
