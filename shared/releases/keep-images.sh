# shellcheck shell=bash
# Protects images that run now from docker image prune, so that they can be brought back without the registry.

takes keeper
# Ids of images to protect, and of those that need it no more.
takes_list kept released

main() {
  local each
  for each in "${released[@]}"; do let_go "$keeper" "$each"; done
  for each in "${kept[@]}"; do keep "$keeper" "$each"; done
}
