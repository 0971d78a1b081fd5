# shellcheck shell=bash disable=SC2154 # `folder` is the engine's
# Folders of transactions are looked at after a rollback, and by nobody later.

# So many of the newest that have ended are kept, and each that has not.
readonly most_transactions=50

# prune_transactions: each goes under a hidden name first, so that none is ever seen that has lost a part; what is cut off
# here, the next start sweeps away.
prune_transactions() {
  local parent=${folder%/*} own=${folder##*/} grave ended ids=() old=() id
  [[ ! -L $parent ]] || return 0
  ended=$(ended_transactions "$parent") || return
  mapfile -t ids <<<"$ended"
  ((${#ids[@]} > most_transactions)) || return 0
  cd -- "$parent" || return
  # As many as one command takes; the next transaction goes on.
  for id in "${ids[@]:0:${#ids[@]}-most_transactions}"; do
    # Its supervisor may be about to lay it down; one that was killed has left its name.
    [[ $id == "$own" || ${#old[@]} -ge 5000 ]] || { [[ -s $id/carrier ]] && (cd -- "$id" && is_carried); } || old+=("$id")
  done
  grave=.partial-$own.pruned
  if ((${#old[@]})) && mkdir -- "$grave"; then
    mv -t "$grave" -- "${old[@]}" || true
    rm -rf -- "$grave"
  fi
  cd -- "$folder" || return
}
