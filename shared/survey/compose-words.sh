# shellcheck shell=bash disable=SC2154 # `compose` is set by compose_command
# Filters the output of compose: in its error messages it quotes its files, which may contain parts of passwords.

# run_compose ARGUMENT...: runs compose; passes on only those lines of stderr that cannot contain anything from the files.
run_compose() {
  { "${compose[@]}" "$@" </dev/null 2>&1 >&3 3>&- | safe_words >&2; } 3>&1
}

# Passes on progress lines, which name containers, images and so on, messages of Docker itself, which knows no variables of the
# files, and mistakes in the files. To see the rest, run compose on the host.
safe_words() {
  local line mistake kept_back='' has_value=''
  while IFS= read -r line || [[ -n $line ]]; do
    if [[ $line =~ ^[[:space:]]*((Container|Image|Network|Volume)[[:space:]]+[A-Za-z0-9_./:@-]+[[:space:]]+[A-Za-z]+)[[:space:]]*$ ]]; then
      printf '%s\n' "${BASH_REMATCH[1]}"
    elif [[ $line =~ (Error response from daemon: .*|Cannot connect to the Docker daemon .*)$ ]]; then
      # Removes a login from an address.
      sed -E 's|://[^/@[:space:]]*@|://…@|g' <<<"${BASH_REMATCH[1]}"
    elif [[ -n $line && -z $has_value ]] && mistake=$(tell_mistakes "${compose_sources[@]}" <<<"$line") && [[ -n $mistake ]]; then
      printf '%s\n' "$mistake"
      [[ $line != 'You may need to escape'* ]] || has_value=yes
    elif [[ -z $kept_back && -n $line ]]; then
      kept_back=yes
      printf 'The rest of what compose says is hidden: it may quote secrets from your files. To see it, run on the host: docker compose config --quiet\n'
    fi
  done
}

# What compose calls things: a name, as of a service, a variable or a key; a place in the configuration; a file. None of them
# is a value. Addresses do not count as files: they may contain a login.
readonly said_name='[A-Za-z0-9_][A-Za-z0-9_.-]*'
readonly said_place='[A-Za-z0-9_.-]+(\[[A-Za-z0-9_.-]+\][A-Za-z0-9_.-]*)*'
readonly said_file='/[^][:cntrl:]:"'\''`$<>{}|\\]*'
readonly said_in="((failed to (read|parse)|validating|parsing|reading) $said_file: )?"
readonly said_line="(yaml: (line [0-9]+(, column [0-9]+)?: )?|line [0-9]+(, column [0-9]+)?: )"
readonly said_options="((, )?[\"'][a-z_-]+[\"'])+"

# What compose may quote from the files, and what stays of that.
readonly cuts=(
  's~^([^`"]*yaml: .*|.*line [0-9]+: .*) near .*$~\1~'
  "s~(cannot unmarshal !![a-z]+) \`.*\` into ~\1 into ~"
  "s~(unknown anchor) '.*' referenced~\1 … referenced~"
  's~(unterminated quoted value|[Ii]nvalid template:|failed to cast to expected type:|time: invalid duration|invalid size:) .*$~\1 …~'
  's~(unexpected character ".{1,4}" in variable name) .*$~\1 …~'
  's~(strconv\.[A-Za-z]+: parsing) .*$~\1 …~'
  's~(is missing a value): .*$~\1~'
  's~^(invalid interpolation format for [A-Za-z0-9_.-]+)(\.|:) .*$~\1\2~'
  's~( Additional property) [A-Za-z0-9_.-]*[^A-Za-z0-9_.-].* is not allowed$~\1 … is not allowed~'
  "s~( additional properties) .*'[^']*[^A-Za-z0-9_.'-][^']*'(,.*)? not allowed\$~\1 … not allowed~"
  "s~ ('.*' )?[Dd]oes not match (pattern|format) .*\$~ … does not match its \2~"
  's~^([Ii]nvalid (hostPort|containerPort|ip address|proto|port)): .*$~\1: …~'
  's~^(Invalid ranges specified for container and host Ports): .*$~\1: …~'
  's~^(invalid project name) ".*": ~\1 …: ~'
)

# Everything that compose may say of a mistake, after the cuts.
readonly mistakes=(
  # Files.
  "$said_in(open|stat|read|lstat) $said_file: (permission denied|no such file or directory|is a directory|not a directory)"
  "[Cc]ouldn't find env file: $said_file"
  "env file $said_file not found(: stat $said_file: no such file or directory)?"
  '(no configuration file provided: not found|empty compose file|project name must not be empty)'
  # YAML. The parser has a fixed set of complaints.
  "$said_in(yaml: )?unmarshal errors:"
  "$said_in$said_line(found|did not find expected|could not find expected) [a-z ]+"
  "$said_in$said_line(did not find expected|could not find expected|found unexpected) ('[]:,}-]'|<[a-z-]+>)( or '[]}]')?( indicator)?"
  "$said_in${said_line}[a-z ]+ are not allowed( in this context)?"
  "$said_in$said_line([a-z ]+ UTF-8 octet( sequence)?|map merge requires map or sequence of maps as the value|unknown anchor … referenced)"
  " *${said_in}line [0-9]+: cannot unmarshal !![a-z]+ into [][A-Za-z0-9_.*{} ]+"
  " *$said_in(yaml: )?line [0-9]+: mapping key \"$said_name\" already defined at line [0-9]+"
  # Files of variables.
  "${said_in}line [0-9]+: (unterminated quoted value|unexpected character \".{1,4}\" in variable name) …"
  "${said_in}[Ii]nvalid template: …"
  "${said_in}required variable ($said_name|…) is missing a value"
  # Variables.
  "error while interpolating $said_place: (required variable ($said_name|…) is missing a value|failed to cast to expected type: …)"
  "invalid interpolation format for ${said_place}[.:]?"
  'You may need to escape any \$ with another \$\.'
  # Keys and values.
  "$said_in($said_place |\(root\) | )?Additional property ($said_name|…) is not allowed"
  "$said_in($said_place |\(root\) | )?additional properties ('$said_name'(, '$said_name')*|…) not allowed"
  "$said_in($said_place )?$said_place must be an? [a-z, ]+"
  "$said_in($said_place )?$said_place (value )?must be one of (the following: )?$said_options"
  "$said_in($said_place )?$said_place … does not match its (pattern|format)"
  'decoding failed due to the following error\(s\):'
  "(error decoding )?'$said_place':? (time: invalid duration|invalid size:|strconv\.[A-Za-z]+: parsing) …"
  "$said_place: unexpected type [][a-z0-9{} ]+"
  'Invalid (hostPort|containerPort|ip address|proto|port|ranges specified for container and host Ports): …'
  'invalid project name …: must consist only of [a-z, ]+'
  # What does not fit together.
  "service \"$said_name\" (refers to undefined (volume|network|secret|config)|depends on undefined service) \"?$said_name\"?(: invalid compose project)?"
  "service \"$said_name\" has neither an image nor a build context specified(: invalid compose project)?"
  "service \"?$said_name\"? is required by \"?$said_name\"? but is disabled\. Can be enabled by profiles \[$said_name( $said_name)*\]"
  "dependency cycle detected: $said_name( -> $said_name)+"
  "(cannot extend service \"$said_name\" in $said_file: )?service \"$said_name\" not found( in $said_file)?"
  "$said_place: conflicting parameters \"$said_name\" and \"$said_name\" specified"
  "$said_place: [a-z|]+ attributes are mutually exclusive"
  "service $said_name declares mutually exclusive \`[a-z_]+\` and \`[a-z_]+\`(: invalid compose project)?"
  "$said_place: can't set container_name and $said_name as container name must be unique(: invalid compose project)?"
  "environment variable \"$said_name\" required by (secret|config|file) \"$said_name\" is not set"
  "no such service: $said_name"
)

# tell_mistakes FILE...: reads what compose says on stdin, and passes on what it says of mistakes in the files, at most ten lines:
# only the shapes above, without what is quoted. A value on a line of its own comes last. FILE...: the compose files; none for
# those that compose finds.
tell_mistakes() {
  local line
  # A long line is not one of these, and would take long to compare.
  cut -b 1-600 | LC_ALL=C sed -E "/^You may need to escape/q;$(printf '%s\n' "${cuts[@]}")" | LC_ALL=C grep -xE -f <(printf '%s\n' "${mistakes[@]}") |
    head -n 10 | while IFS= read -r line; do
    if [[ $line =~ ^(.*required variable )([A-Za-z0-9_]+)( is missing a value)$ && $line != *'.image: required'* ]] &&
      ! is_clearly_variable "${BASH_REMATCH[2]}" "$@"; then
      line="${BASH_REMATCH[1]}…${BASH_REMATCH[3]}"
    fi
    printf '%s\n' "$line"
  done || true
}

# is_clearly_variable NAME FILE...: whether a file has it as a whole value. In the middle of one it may be a piece of a password
# with a dollar in it.
is_clearly_variable() {
  local files=("${@:2}")
  ((${#files[@]})) || files=(compose.yaml compose.yml docker-compose.yml docker-compose.yaml)
  grep -qE -- "[:=-][[:space:]]*['\"]?\\\$\\{$1([:?+-][^}]*)?\\}['\"]?[[:space:]]*\$" "${files[@]}" 2>/dev/null
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
