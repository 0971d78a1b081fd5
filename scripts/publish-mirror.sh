#!/bin/bash
# publish-mirror.sh TREE MESSAGE TAG CLONE: commits a mirror in a clone of its repository, and pushes the release's tag, which never moves,
# and the tag of its major version, which points at the newest release of that version. Safe to run again.
set -euo pipefail
tree=$(realpath -- "$1") message=$(realpath -- "$2") tag=$3
cd -- "$4"
[[ $tag =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "$tag is not a release tag" >&2 && exit 1; }
major=${tag%%.*}

git fetch --quiet --tags --force origin
git rm -rqf --ignore-unmatch .
cp -R -- "$tree/." .
git add --all --force
if git rev-parse --quiet --verify "refs/tags/$tag" >/dev/null; then
  # An earlier attempt got this far.
  [[ $(git write-tree) == "$(git rev-parse "$tag^{tree}")" ]] ||
    { echo "$tag is published already, with other content: a release never changes. Take the next version" >&2 && exit 1; }
  git reset --quiet --hard "$tag"
else
  git commit --quiet --allow-empty --file "$message"
  git tag "$tag"
fi

# newest PATTERN: the highest version among the tags.
newest() { git tag --list "$1" | grep -xE 'v[0-9]+\.[0-9]+\.[0-9]+' | sort --version-sort | tail -n 1; }

pushed=("refs/tags/$tag")
# A fix of an older version moves nobody back to it.
[[ $(newest "$major.*") != "$tag" ]] || pushed+=("+$tag^{commit}:refs/tags/$major")
[[ $(newest 'v*') != "$tag" ]] || pushed+=("$tag^{commit}:refs/heads/main")
git push --quiet --atomic origin "${pushed[@]}"
echo "Published $tag: ${pushed[*]}"
