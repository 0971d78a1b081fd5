#!/bin/bash
# publish-mirror.sh TREE MESSAGE TAG CLONE: puts a mirror into a clone of its repository and pushes it: the release's tag, which
# never moves again, and the tag of its major version, which leads to the newest release of that. May be run again.
set -euo pipefail
tree=$(realpath -- "$1") message=$(realpath -- "$2") tag=$3
cd -- "$4"
[[ $tag =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "$tag is no tag of a release" >&2 && exit 1; }
major=${tag%%.*}

git fetch --quiet --tags --force origin
git rm -rqf --ignore-unmatch .
cp -R -- "$tree/." .
git add --all --force
if git rev-parse --quiet --verify "refs/tags/$tag" >/dev/null; then
  # A run that was broken off has got this far.
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
# A mend of an old version leads nobody back to it.
[[ $(newest "$major.*") != "$tag" ]] || pushed+=("+$tag^{commit}:refs/tags/$major")
[[ $(newest 'v*') != "$tag" ]] || pushed+=("$tag^{commit}:refs/heads/main")
git push --quiet --atomic origin "${pushed[@]}"
echo "Published $tag: ${pushed[*]}"
