# shellcheck shell=bash
# For a program to which the runner sends bytes. They come over a session of their own, into a named pipe: see pour.sh. So they
# never lie on the disk, and they wait for whoever reads them, while the heartbeats of this program do not.

# A folder for the pipe, with a name that nobody can guess; empty if no bytes will come.
takes incoming

# open_incoming: makes the pipe, and lets the runner begin. Then read "$incoming/bytes" to its end, and call `demand_whole`.
open_incoming() {
  { mkdir -m 700 -- "$incoming" && mkfifo -m 600 -- "$incoming/bytes" && : >"$incoming/cut"; } 2>/dev/null ||
    fail transfer-cut "Could not make a named pipe in ${incoming%/*}"
  progress incoming "$incoming"
}

# demand_whole: fails unless the bytes have come to their end. The end of the pipe alone does not say that.
demand_whole() { [[ ! -e $incoming/cut ]] || fail transfer-cut 'The connection was cut while the runner was sending'; }

# drop_incoming: for `ended`. Whoever still pours is ended by it.
drop_incoming() { [[ -z $incoming ]] || rm -rf -- "$incoming"; }
