#!/bin/bash
# publish-release.sh REPOSITORY TAG NOTES [ASSET…]: publishes the release of a tag that is in the repository. Until every asset is there it
# is a draft, which nobody sees. Safe to run again: a published release is left alone, and a draft from an attempt that was cut off is
# replaced.
set -euo pipefail
repository=$1 tag=$2 notes=$3
shift 3

# By its tag, gh does not reliably find a draft. An error of GitHub's must not pass for "no release yet".
releases=$(gh api --paginate "repos/$repository/releases" --jq '.[] | [.tag_name, .draft, .id] | @tsv')
while IFS=$'\t' read -r name is_draft id; do
  [[ $name == "$tag" ]] || continue
  if [[ $is_draft == false ]]; then
    echo "$tag is published already"
    exit
  fi
  gh api --method DELETE "repos/$repository/releases/$id"
done <<<"$releases"

tags=$(gh api --paginate "repos/$repository/git/matching-refs/tags/v" --jq '.[].ref')
newest=$(grep -xE 'refs/tags/v[0-9]+\.[0-9]+\.[0-9]+' <<<"$tags" | sort --version-sort | tail -n 1)
options=(--verify-tag --title "$tag" --notes-file "$notes")
# GitHub calls whatever was published last the latest release, even a fix of an older version.
[[ $newest == "refs/tags/$tag" ]] || options+=(--latest=false)
gh release create "$tag" --repo "$repository" "${options[@]}" "$@"
