import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { statementsIn } from '../../shared/postgres/statements.ts';

describe('the statements of a text', () => {
  const table: [what: string, sql: string, statements: string[]][] = [
    ['nothing', ' \n -- only this\n /* and this; */ ; ;', []],
    ['two, the last without a semicolon', 'SELECT 1;\nSELECT 2', ['SELECT 1', 'SELECT 2']],
    ['a semicolon in quotes', `SELECT ';' = ';'; SELECT ";" FROM t`, [`SELECT ';' = ';'`, 'SELECT ";" FROM t']],
    ['a doubled quote', "SELECT 'it''s;'; SELECT 2", ["SELECT 'it''s;'", 'SELECT 2']],
    ['a backslash means nothing in a plain string', "SELECT '\\'; SELECT 2", ["SELECT '\\'", 'SELECT 2']],
    ['and escapes in an escaped one', "SELECT E'\\';'; SELECT 2", ["SELECT E'\\';'", 'SELECT 2']],
    ['the actions of a rule', 'CREATE RULE r DO (a; b); c', ['CREATE RULE r DO (a; b)', 'c']],
    ['dollar quotes', 'SELECT $$;$$; SELECT $a$;$$;$a$', ['SELECT $$;$$', 'SELECT $a$;$$;$a$']],
    ['a dollar within a word', 'SELECT a$b$; SELECT 2', ['SELECT a$b$', 'SELECT 2']],
    ['comments that nest', 'SELECT /* a /* ; */ ; */ 1; SELECT 2', ['SELECT /* a /* ; */ ; */ 1', 'SELECT 2']],
    ['a comment to the end of the line', "SELECT 1 -- it's; fine\n; SELECT 2", ["SELECT 1 -- it's; fine", 'SELECT 2']],
  ];
  for (const [what, sql, statements] of table) test(what, () => assert.deepEqual(statementsIn(sql), statements));

  const refused: [what: string, sql: string, why: RegExp][] = [
    ['a quote', "SELECT 'a; SELECT 2", /quote \('\) that does not end/],
    ['a dollar quote', 'SELECT $a$ ; SELECT $$', /quote \(\$a\$\) that does not end/],
    ['a comment', 'SELECT 1 /* a /* b */', /comment .* does not end/],
  ];
  for (const [what, sql, why] of refused) {
    test(`${what} without an end is refused`, () => assert.throws(() => statementsIn(sql), why));
  }

  test('a command of psql is refused', () => {
    assert.throws(() => statementsIn('SELECT 1;\n  \\! rm -rf /'), /a command of psql/);
  });

  test('what is put together comes apart again', () => {
    const piece = fc.constantFrom("'a;b'", '"x;"', '$$;$$', '$t$;$t$', '/*;*/', 'SELECT', '1', "E'\\';'", '--;\n', 'a');
    const statement = fc.array(piece, { minLength: 1 }).map((pieces) => ['SELECT', ...pieces].join(' ').trim());
    fc.assert(
      fc.property(fc.array(statement), (statements) => {
        assert.deepEqual(statementsIn(statements.map((each) => `${each}\n;`).join('\n')), statements);
      }),
    );
  });
});
