// The tables of inputs and outputs that READMEs show, from action.yml.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { optionTables, withOptionTables } from '../../scripts/option-tables.ts';

const declared = `
inputs:
  host:
    description: 'Its name.'
    required: true
  key:
    description: 'The key: see [how](https://github.com/atlasia/actions/blob/main/docs/keys.md#own). Required unless \`host\` is \`local\`.'
  log:
    description: 'A file. It may be [long](https://github.com/atlasia/actions/blob/main/some-action/README.md#log). Default: \`a.log\` there.'
  more:
    description: 'Zero | one.'
  wait:
    description: 'How long. Default: as long as it takes.'
    default: 5m
outputs:
  status:
    description: 'How it ended.'
`;

const readme = `# It

## Inputs

Words.

| old | table |
| --- | --- |
| \`gone\` | x |

More words.

## Outputs

| old |
| --- |

## Else

| another | table |
`;

test('each has its row: its default or when it is required, and links that lead out of the README', () => {
  assert.equal(
    withOptionTables(readme, optionTables('some-action', declared)),
    `# It

## Inputs

Words.

| input | default | meaning |
| --- | --- | --- |
| \`host\` | required | Its name. |
| \`key\` | required unless \`host\` is \`local\` | The key: see [how](../docs/keys.md#own). |
| \`log\` | \`a.log\` there | A file. It may be [long](#log). |
| \`more\` | none | Zero \\| one. |
| \`wait\` | \`5m\` | How long. Default: as long as it takes. |

More words.

## Outputs

| output | meaning |
| --- | --- |
| \`status\` | How it ended. |

## Else

| another | table |
`,
  );
});

test('a README without a place for a table is refused, and not left as it was', () => {
  const tables = optionTables('some-action', declared);
  assert.throws(() => withOptionTables(readme.replace('## Outputs', '## Results'), tables), /no table under "Outputs"/);
});
