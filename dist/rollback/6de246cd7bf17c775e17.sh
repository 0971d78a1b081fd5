# shellcheck shell=bash
# Writes the line of a run that came to nothing into the log. Short; it is not cut when the runner is gone.

takes log_file log_line

main() { tell_log "$log_file" "$log_line"; }
