// What older code notices of a migration. Each schema-dumps/migrations/*.txt has what a tool's migrations do, both dumps as
// pg_dump 15 wrote them, and what must be found. After a change that is meant, UPDATE_GOLDEN=1 writes that anew: read the
// difference before you commit it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { schemaChanges } from '../../shared/plan/schema-judgement.ts';

const folder = new URL('./schema-dumps/migrations/', import.meta.url);

const told = (before: string, after: string) =>
  schemaChanges(before, after).map(({ weight, text }) => `${weight}: ${text}`);

describe('the migrations of', () => {
  for (const name of readdirSync(folder).toSorted()) {
    test(name.replace('.txt', ''), () => {
      const url = new URL(name, folder);
      const text = readFileSync(url, 'utf8');
      const [before = '', after = '', expected = ''] = text
        .split(/^==== (?:dumped before|dumped after|changes)\n/m)
        .slice(1);
      const changes = told(before, after)
        .map((line) => `${line}\n`)
        .join('');
      if (process.env['UPDATE_GOLDEN'] !== undefined)
        writeFileSync(url, text.slice(0, text.length - expected.length) + changes);
      else assert.equal(changes, expected);
      assert.deepEqual(told(after, after), []);
      assert.deepEqual(told(before, before), []);
    });
  }
});

/** An object as pg_dump writes it. */
const object = (type: string, name: string, sql: string) =>
  `--\n-- Name: ${name}; Type: ${type}; Schema: public; Owner: app\n--\n\n${sql}\n\n`;
const table = (columns: string, rest = '') => object('TABLE', 't', `CREATE TABLE public.t (\n${columns}\n)${rest};`);
const constraint = (definition: string) =>
  object('CONSTRAINT', 't c', `ALTER TABLE ONLY public.t\n    ADD CONSTRAINT c ${definition};`);

describe('versions of PostgreSQL write the same in another way', () => {
  const examples: [what: string, before: string, after: string, changes: string[]][] = [
    [
      'NOT NULL has a name from 18 on',
      table('    a integer DEFAULT 1 NOT NULL,\n    b integer'),
      table('    a integer DEFAULT 1 CONSTRAINT t_a_not_null NOT NULL,\n    b integer'),
      [],
    ],
    [
      'a default that is dumped by itself',
      table('    a integer DEFAULT 1'),
      table('    a integer') + object('DEFAULT', 't a', 'ALTER TABLE ONLY public.t ALTER COLUMN a SET DEFAULT 1;'),
      [],
    ],
    [
      'a check that is validated now',
      table('    a integer') +
        object('CHECK CONSTRAINT', 't c', 'ALTER TABLE public.t\n    ADD CONSTRAINT c CHECK ((a > 0)) NOT VALID;'),
      table('    a integer,\n    CONSTRAINT c CHECK ((a > 0))'),
      [],
    ],
    [
      'a partition made in the old way',
      table('    a integer', '\nPARTITION BY LIST (a)') +
        object(
          'TABLE',
          'p',
          'CREATE TABLE public.p PARTITION OF public.t (\n    a WITH OPTIONS\n)\nFOR VALUES IN (1);',
        ),
      table('    a integer', '\nPARTITION BY LIST (a)'),
      ['harmless: 1 partition is gone'],
    ],
    [
      'a list that was dumped and restored',
      table(
        "    a character varying(10),\n    CONSTRAINT c CHECK (((a)::text = ANY ((ARRAY['it''s'::character varying, 'b'::character varying])::text[])))",
      ),
      table(
        "    a character varying(10),\n    CONSTRAINT c CHECK (((a)::text = ANY (ARRAY[('it''s'::character varying)::text, ('b'::character varying)::text])))",
      ),
      [],
    ],
    ['tables of another access method', table('    a integer'), table('    a integer', '\nUSING columnar'), []],
    [
      'NULLs that are alike',
      table('    a integer') + constraint('UNIQUE (a)'),
      table('    a integer') + constraint('UNIQUE NULLS NOT DISTINCT (a)'),
      [
        'breaking: public.t: (a) need not be unique any more',
        'breaking: public.t: (a) NULLS NOT DISTINCT must be unique now, and what older code writes may violate that',
      ],
    ],
    [
      'a unique index that becomes a constraint',
      table('    a integer') + object('INDEX', 'i', 'CREATE UNIQUE INDEX i ON public.t USING btree (a);'),
      table('    a integer') + constraint('UNIQUE (a)'),
      [],
    ],
    [
      'a foreign table',
      object(
        'FOREIGN TABLE',
        't',
        "CREATE FOREIGN TABLE public.t (\n    a integer NOT NULL\n)\nSERVER s\nOPTIONS (\n    t 'x'\n);",
      ),
      object(
        'FOREIGN TABLE',
        't',
        "CREATE FOREIGN TABLE public.t (\n    a integer NOT NULL\n)\nSERVER r\nOPTIONS (\n    t 'x'\n);",
      ),
      ['rewritten: public.t: it is a table of another kind, or partitioned in another way'],
    ],
  ];
  for (const [what, before, after, changes] of examples) {
    test(what, () => assert.deepEqual(told(before, after), changes));
  }

  test('a text that is no schema is no answer', () => {
    assert.throws(() => schemaChanges(table("    a text DEFAULT 'x"), ''), /^RangeError: has a quote/);
  });
});
