# shellcheck shell=bash
# Receives bytes from the runner, and writes them into the named pipe of another program, which has made it with
# `open_incoming`. On stdin come frames: a line with the number of bytes, then the bytes. The line `0` is a heartbeat, and the
# line `end` the end: without it, what has come is not whole.

takes folder
takes_stream

# Seconds without a frame after which the runner is gone. While the other program does not read, nobody waits for a frame.
readonly longest_silence=60

main() {
  local bytes
  # The other program may end without reading, or before it has opened the pipe.
  leave_with_reader "$BASHPID" &
  exec {pipe}>"$folder/bytes"
  while IFS= read -r -t "$longest_silence" bytes; do
    case $bytes in
      0) ;;
      end)
        rm -- "$folder/cut"
        return
        ;;
      *)
        [[ $bytes =~ ^[1-9][0-9]{0,6}$ ]] || fail transfer-cut 'The runner sent something that this program does not understand'
        # It reads no more than that; `head` may.
        dd bs="$bytes" count=1 iflag=fullblock status=none >&"$pipe" || fail transfer-unread 'Nobody reads what the runner sends'
        ;;
    esac
  done
  fail transfer-cut 'The connection was cut while the runner was sending'
}

# leave_with_reader GROUP: ends this program when the other one is over, which removes its folder.
leave_with_reader() {
  while [[ -p $folder/bytes ]]; do sleep 0.5; done
  kill -TERM -- "-$1" 2>/dev/null || true
}
