# shellcheck shell=bash disable=SC2154 # `compose` is set by compose_command
# Read-only: the configuration that was kept of a release, and the state of the project if compose is called with it.

takes backup_dir deploy_dir id project directory
# Lines for compose_command: where variables are that inline configs and secrets are made from.
takes_list env_lines

main() {
  local kept=$backup_dir/rollback/compose/$id config
  [[ -r $kept/config.json ]] || fail not-kept "$kept/config.json cannot be read"
  record files "$(cat -- "$kept/files.txt")"
  cd -- "$deploy_dir" || fail not-kept "$deploy_dir cannot be entered"
  compose_command "$project" "file $kept/config.json" "project-directory $directory" "profile *" "${env_lines[@]}"
  config=$("${compose[@]}" config --format json 2>/dev/null </dev/null) || config=
  record config "$config"
  record values "$(inline_values "$config" </dev/null)"
  record project-state "$(project_state "$project" "$config")"
}
