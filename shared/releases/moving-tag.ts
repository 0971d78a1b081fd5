/** Parts of a tag that have digits but say nothing about when it was built: processors, and pull requests by number. */
const processors =
  /(?<![a-z0-9])(?:amd64|x86[_-]64|i?[36]86|arm64(?:[/-]?v8)?|aarch64|arm(?:32)?(?:v[5-8])?|ppc64le|s390x|riscv64|loong64)(?![a-z0-9])/g;
const pullRequest = /^(?:pr|mr|pull|merge|pull-request|merge-request)[-_.]?\d{1,7}$/;
/** Seven is the shortest hash that Git prints. */
const commit = /(?<![a-z0-9])g?[0-9a-f]{7,64}(?![a-z0-9])/;

/**
 * Whether a tag is meant to stand for one image after the other: `latest`, `stable`, the name of a branch or of a stage. A
 * version, a date, a build number or a commit is meant to stay. In doubt a tag stays: to point it at another image would
 * make it lie, and what it costs not to is a line that the operator has to change.
 */
export function moves(tag: string): boolean {
  const text = tag.toLowerCase().replace(processors, '');
  if (pullRequest.test(text)) return true;
  return !/\d/.test(text) && !commit.test(text);
}
