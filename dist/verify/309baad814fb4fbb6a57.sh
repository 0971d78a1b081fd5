# shellcheck shell=bash disable=SC2154 # `compose` is set by compose_command
# Filters the output of compose: in its error messages it quotes its files, which may contain parts of passwords.

# run_compose ARGUMENT...: runs compose; passes on only those lines of stderr that cannot contain anything from the files.
run_compose() {
  { "${compose[@]}" "$@" </dev/null 2>&1 >&3 3>&- | safe_words >&2; } 3>&1
}

# Passes on progress lines, which name containers, images and so on, and messages of Docker itself, which knows no variables
# of the files. To see the rest, run compose on the host.
safe_words() {
  local line kept_back=
  while IFS= read -r line || [[ -n $line ]]; do
    if [[ $line =~ ^[[:space:]]*((Container|Image|Network|Volume)[[:space:]]+[A-Za-z0-9_./:@-]+[[:space:]]+[A-Za-z]+)[[:space:]]*$ ]]; then
      printf '%s\n' "${BASH_REMATCH[1]}"
    elif [[ $line =~ (Error response from daemon: .*|Cannot connect to the Docker daemon .*)$ ]]; then
      # Removes a login from an address.
      sed -E 's|://[^/@[:space:]]*@|://…@|g' <<<"${BASH_REMATCH[1]}"
    elif [[ -z $kept_back && -n $line ]]; then
      kept_back=yes
      printf 'The rest of what compose says is hidden: it may quote secrets from your files. To see it, run on the host: docker compose config --quiet\n'
    fi
  done
}

# unset_variables ENV-FILE FILE...: reads compose's complaints on stdin, and prints where unset variables are used, one per
# line. `env LINE NAME FILE`: NAME is the variable in whose value it is used. `compose LINE NAME FILE`: NAME is its own name
# if it clearly is a variable, else a dash, because it may be part of a password. `elsewhere 0 - -`: in no known file.
unset_variables() {
  local name file place
  while IFS= read -r name; do
    place=$(in_env_file "$name" "$1" && for file in "${@:2}"; do in_compose_file "$name" "$file"; done)
    printf '%s\n' "${place:-elsewhere 0 - -}"
  done < <(unset_names | head -n 50) | sort -u
}

# unset_names: reads compose's complaints on stdin, and prints the names of the unset variables.
unset_names() { sed -nE 's/.*The \\?"?([A-Za-z_][A-Za-z0-9_]*)\\?"? variable is not set.*/\1/p' | sort -u; }

# A pattern for a reference to a variable. A literal dollar is written twice, or after a backslash.
# shellcheck disable=SC2016 # the dollars are those of the pattern
reference_to() { printf '(^|[^$\\])(\\$\\$)*\\$(%s([^A-Za-z0-9_]|$)|\\{%s([^A-Za-z0-9_:+-]|:[^+-]))' "$1" "$1"; }

# in_env_file NAME FILE: a quoted value may have several lines; in single quotes, compose does not replace variables.
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

# in_compose_file NAME FILE: it clearly is a variable if it is a whole value in braces, or part of an image name.
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
