# shellcheck shell=bash
# What Docker is asked to print, written one field a line. Sent in front of the programs that look at containers.

# json_object FIELD...: a template that prints an object; each field is `"name":{{json .Path}}`.
json_object() {
  local IFS=,
  printf '{%s}' "$*"
}

# columns FIELD...: a template that prints the fields with tabs between them. None may contain a tab or a line break, and only
# the last may be empty: `read` takes several tabs for one.
columns() {
  local field template=
  for field in "$@"; do template+=${template:+'{{"\t"}}'}$field; done
  printf '%s' "$template"
}
