// The README of an action in a repository of its own: no link of it may lead where nothing is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mirrorReadme, originOf, relativeLinks } from '../../scripts/mirror-readme.ts';

const source = { url: 'https://github.com/atlasia/actions', tag: 'v1.2.3', folder: 'backup-action' };
const blob = `${source.url}/blob/v1.2.3`;

const rewritten: [markdown: string, expected: string][] = [
  ['[a](../docs/offsite.md)', `[a](${blob}/docs/offsite.md)`],
  ['[a](../docs/offsite.md#top "Title")', `[a](${blob}/docs/offsite.md#top "Title")`],
  ['[a](./backup.ts)', `[a](${blob}/backup-action/backup.ts)`],
  ['[a](action.yml)', `[a](${blob}/backup-action/action.yml)`],
  ['[a](../examples/)', `[a](${source.url}/tree/v1.2.3/examples)`],
  ['![a](../docs/summary.png)', `![a](${source.url}/raw/v1.2.3/docs/summary.png)`],
  ['[![a](../docs/a.png)](../docs/a.md)', `[![a](${source.url}/raw/v1.2.3/docs/a.png)](${blob}/docs/a.md)`],
  ['[`code`](../README.md)', `[\`code\`](${blob}/README.md)`],
  ['[a](../LICENSE)', '[a](LICENSE)'],
  ['[a](../../../etc)', `[a](${blob}/etc)`],
  ['[a]: ../docs/a.md', `[a]: ${blob}/docs/a.md`],
  ['<img width="9" src="../docs/a.svg">', `<img width="9" src="${source.url}/raw/v1.2.3/docs/a.svg">`],
  ["<a href='../docs/a.md#b'>", `<a href='${blob}/docs/a.md#b'>`],
  [
    '[a](#inputs) [b](https://x.example/y) [c](mailto:a@b.c)',
    '[a](#inputs) [b](https://x.example/y) [c](mailto:a@b.c)',
  ],
  ['`[a](../b)`', '`[a](../b)`'],
  ['```yaml\n[a](../b)\n```\n[a](../b)', `\`\`\`yaml\n[a](../b)\n\`\`\`\n[a](${blob}/b)`],
];
for (const [markdown, expected] of rewritten) {
  test(`in a README: ${JSON.stringify(markdown)}`, () => assert.equal(mirrorReadme(markdown, source), expected));
}

test('its end leads to the sources, at the release, and to where issues are taken', () => {
  const end = originOf(source);
  assert.match(end, /^\n## Sources and help\n\n/);
  const links = Array.from(end.matchAll(/\]\(([^)]+)\)/g), ([, link]) => link);
  assert.deepEqual(links, [`${source.url}/tree/v1.2.3/backup-action`, source.url, `${blob}/SECURITY.md`]);
});

test('the links that are relative are found, wherever they stand', () => {
  const markdown = '[a](../b) ![c](d.png) [e](#f) [g](https://h)\n\n[i]: ../j\n<img src="k.png">\n`[l](../m)`\n';
  assert.deepEqual(relativeLinks(markdown), ['../b', 'd.png', '../j', 'k.png']);
});
