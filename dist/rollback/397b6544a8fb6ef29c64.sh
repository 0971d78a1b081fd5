# shellcheck shell=bash disable=SC2154 # `compose` is set by compose_command
# What may be told of what compose says: it quotes its files, and with them pieces of passwords, where it objects to them.

# run_compose ARGUMENT...: compose, of whose words on stderr only those go on that are known to hold nothing of the files.
run_compose() {
  { "${compose[@]}" "$@" </dev/null 2>&1 >&3 3>&- | safe_words >&2; } 3>&1
}

# How far it is, by the names of what it makes; and what Docker itself says, who knows no variables. The rest is on the host
# to be had.
safe_words() {
  local line kept_back=
  while IFS= read -r line || [[ -n $line ]]; do
    if [[ $line =~ ^[[:space:]]*((Container|Image|Network|Volume)[[:space:]]+[A-Za-z0-9_./:@-]+[[:space:]]+[A-Za-z]+)[[:space:]]*$ ]]; then
      printf '%s\n' "${BASH_REMATCH[1]}"
    elif [[ $line =~ (Error response from daemon: .*|Cannot connect to the Docker daemon .*)$ ]]; then
      # Of an address not the login that may stand in it.
      sed -E 's|://[^/@[:space:]]*@|://…@|g' <<<"${BASH_REMATCH[1]}"
    elif [[ -z $kept_back && -n $line ]]; then
      kept_back=yes
      printf 'The rest of what compose says is hidden, since it may quote secrets from your files. On the host: docker compose config --quiet\n'
    fi
  done
}

# unset_variables ENV-FILE FILE...: reads what compose objects to, and prints where the variables are that it misses, a line
# each: `env LINE NAME FILE`, by the variable whose value holds it; `compose LINE NAME FILE`, by its own name where the file
# means it, else by a dash: it may be a piece of a password. `elsewhere 0 - -` where no file is known that has it.
unset_variables() {
  local name file place
  while IFS= read -r name; do
    place=$(in_env_file "$name" "$1" && for file in "${@:2}"; do in_compose_file "$name" "$file"; done)
    printf '%s\n' "${place:-elsewhere 0 - -}"
  done < <(sed -nE 's/.*The \\?"?([A-Za-z_][A-Za-z0-9_]*)\\?"? variable is not set.*/\1/p' | sort -u | head -n 50) | sort -u
}

# A dollar that stands for itself is written twice, or behind a backslash.
# shellcheck disable=SC2016 # the dollars are those of the pattern
reference_to() { printf '(^|[^$\\])(\\$\\$)*\\$(%s([^A-Za-z0-9_]|$)|\\{%s([^A-Za-z0-9_:+-]|:[^+-]))' "$1" "$1"; }

# in_env_file NAME FILE: a value may have several lines, between quotes; in single ones, compose looks for no variables.
in_env_file() {
  local text value number=0 holder=- quote='' reference
  [[ -r $2 ]] || return 0
  reference=$(reference_to "$1")
  while IFS= read -r text || [[ -n $text ]]; do
    number=$((number + 1)) value=$text
    if [[ -z $quote ]]; then
      [[ $text =~ ^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_.-]*)[[:space:]]*[=:][[:space:]]*(.*)$ ]] || continue
      holder=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
      [[ $value != [\'\"]* ]] || quote=${value:0:1} value=${value:1}
    fi
    [[ $quote == \' || ! $value =~ $reference ]] || printf 'env %s %s %s\n' "$number" "$holder" "$2"
    [[ -z $quote || ${value//"\\$quote"/} != *"$quote"* ]] || quote=
  done <"$2"
}

# in_compose_file NAME FILE: it is meant where it is all of a value, in braces, or part of an image's name.
in_compose_file() {
  local line text
  [[ -r $2 ]] || return 0
  while IFS=: read -r line text; do
    if [[ $text =~ ^[[:space:]]*image: || $text =~ [:=][[:space:]]*[\'\"]?\$\{$1\}[\'\"]?[[:space:]]*$ ]]; then
      printf 'compose %s %s %s\n' "$line" "$1" "$2"
    else
      printf 'compose %s - %s\n' "$line" "$2"
    fi
  done < <(grep -nE -- "$(reference_to "$1")" "$2" | grep -vE '^[0-9]+:[[:space:]]*#')
}
