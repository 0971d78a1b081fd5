// The host and the runner leave out the same lines of a schema, or no hash would ever agree.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stableSchema } from '../../shared/report/schema-changes.ts';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const script = file('../../shared/postgres/stable-schema.sh');
const onHost = (text: string) =>
  execFileSync('bash', ['-c', '. "$1"; stable', 'bash', script], {
    input: text,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });

const texts: [what: string, text: string][] = [
  ...['before', 'before-again', 'after'].map((name): [string, string] => [
    `the dump ${name}`,
    readFileSync(file(`./schema-dumps/${name}.sql`), 'utf8'),
  ]),
  ['nothing', ''],
  ['blank lines', '\n\n--\n\n\nCREATE TABLE a ();\n\n\n'],
  ['no last line break', '--\nCREATE TABLE a ();'],
  [
    'every line that is left out',
    '\\restrict a\n-- Dumped from x\n-- Dumped by x\n-- Started on x\na\n-- Completed on\n',
  ],
  ['all of a dump that ends so', 'a\n\n\n-- Completed on x\n\n\\unrestrict x\n\n'],
  ['lines that only look like these', ' \\restrict a\n-- Dumped of x\n\\restricted\n-- Started\n-- Completed on'],
  ['signs of awk, printf and other alphabets', "COMMENT ON TABLE a IS '%s %d \\n \\\\ & $0 ä 表';\n\ta\n"],
];
for (const [what, text] of texts) test(what, () => assert.equal(onHost(text), stableSchema(text)));
