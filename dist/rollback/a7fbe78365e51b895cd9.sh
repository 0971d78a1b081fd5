# shellcheck shell=bash disable=SC2154,SC2034 # `p` is the bootstrap's, `misfit` its caller's
# Gives a program its parameters, by name. Sent in front of every program, which says at its top what it takes:
#
#   takes backup_dir started   each given exactly once, as a variable of that name
#   takes_number second        likewise, and it must be a whole number: for whatever bash calculates with, which would run what
#                              is written in a subscript
#   takes_word format          likewise, and it must be one word: for whatever becomes part of a text that something else reads
#   takes_list tiers           given any number of times, as an array
#   takes_stream               what follows on stdin belongs to `main`, instead of heartbeats
#
# The variables are global, so that `ended` has them as `main` has.

declare -A parameter_kinds=()

takes() { take_as value "$@"; }

takes_number() { take_as number "$@"; }

takes_word() { take_as word "$@"; }

# take_as KIND NAME…
take_as() {
  local _name
  for _name in "${@:2}"; do
    unset -v "$_name" # a variable of the environment would pass it on to children
    parameter_kinds[$_name]=$1
  done
}

takes_list() {
  local _name
  for _name in "$@"; do
    parameter_kinds[$_name]=list
    declare -ga "$_name=()"
  done
}

stream_taken=''
takes_stream() { stream_taken=yes; }

# read_parameters: fills them in from `p`, which the bootstrap has read: key, value, key, value. Fails if one is unknown, missing
# or given twice, and says so in `misfit`: the runner and the program do not match.
read_parameters() {
  local _at _key
  for ((_at = 0; _at < ${#p[@]}; _at += 2)); do
    _key=${p[_at]}
    case ${parameter_kinds[$_key]-} in
      value | number | word)
        [[ ${parameter_kinds[$_key]} != number || ${p[_at + 1]} =~ ^[0-9]{1,18}$ ]] || { misfit="$_key is no number" && return 1; }
        [[ ${parameter_kinds[$_key]} != word || ${p[_at + 1]} =~ ^[A-Za-z0-9._-]{1,64}$ ]] || { misfit="$_key is no word" && return 1; }
        printf -v "$_key" %s "${p[_at + 1]}"
        parameter_kinds[$_key]=given
        ;;
      list)
        eval "$_key+=(\"\${p[_at + 1]}\")" # the name is one of the program's own
        ;;
      given) misfit="$_key was given twice" && return 1 ;;
      *) misfit="$_key is unknown" && return 1 ;;
    esac
  done
  for _key in "${!parameter_kinds[@]}"; do
    [[ ${parameter_kinds[$_key]} == @(given|list) ]] || { misfit="$_key is missing" && return 1; }
  done
}
