# shellcheck shell=bash
# Writes the line of a run that took no backup into the log. Short; it goes on even if the runner is gone.

takes log_file log_line

main() { tell_log "$log_file" "$log_line"; }
