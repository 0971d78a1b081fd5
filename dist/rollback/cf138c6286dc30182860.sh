# shellcheck shell=bash disable=SC2154 # `folder` is the engine's
# Removes old transaction folders. People look at them after a rollback, but hardly ever later.

# How many of the newest finished transactions are kept. Unfinished ones are always kept.
readonly most_transactions=50

# prune_transactions: moves the folders into a hidden one first, so that nobody ever sees one half-deleted. If this is
# interrupted, the next start removes the rest.
prune_transactions() {
  local parent=${folder%/*} own=${folder##*/} grave ended ids=() old=() id
  [[ ! -L $parent ]] || return 0
  ended=$(ended_transactions "$parent") || return
  mapfile -t ids <<<"$ended"
  ((${#ids[@]} > most_transactions)) || return 0
  cd -- "$parent" || return
  # Only as many as fit on one command line; the next transaction removes more.
  for id in "${ids[@]:0:${#ids[@]}-most_transactions}"; do
    # Skip one whose supervisor is still alive. A killed supervisor has left its process id behind.
    [[ $id == "$own" || ${#old[@]} -ge 5000 ]] || { [[ -s $id/carrier ]] && (cd -- "$id" && is_carried); } || old+=("$id")
  done
  grave=.partial-$own.pruned
  if ((${#old[@]})) && mkdir -- "$grave"; then
    mv -t "$grave" -- "${old[@]}" || true
    rm -rf -- "$grave"
  fi
  cd -- "$folder" || return
}
