import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hideSecrets } from '../../shared/report/hide-secrets.ts';
import { compareSchemas } from '../../shared/report/schema-changes.ts';

/** As pg_dump writes them. */
const secrets: [text: string, shown: string][] = [
  [
    "OPTIONS (\n    password 'se''cret',\n    \"user\" 'app'\n);",
    "OPTIONS (\n    password '(hidden 1)',\n    \"user\" 'app'\n);",
  ],
  ["    password 'line one\nse''cret; line three',\n", "    password '(hidden 1)',\n"],
  ["    password '',\n    passfile '/home/secret',", "    password '(hidden 1)',\n    passfile '(hidden 2)',"],
  [
    "    sslkey '/secret',\n    sslpassword 'secret',\n    sslmode 'require'",
    "    sslkey '(hidden 1)',\n    sslpassword '(hidden 2)',\n    sslmode 'require'",
  ],
  [
    "    aws_secret_access_key 'secret',\n    \"api-key\" E'se\\\\cret'",
    "    aws_secret_access_key '(hidden 1)',\n    \"api-key\" '(hidden 2)'",
  ],
  ["CONNECTION 'host=db dbname=x password=''secret it''' PUBLICATION p", "CONNECTION '(hidden 1)' PUBLICATION p"],
  [
    "PERFORM dblink('host=db password=secret user=app', 'SELECT 1');",
    "PERFORM dblink('host=db password=(hidden 1) user=app', 'SELECT 1');",
  ],
  ["dblink('password=''sec ret'' user=app')", "dblink('password=(hidden 1) user=app')"],
  ["'postgresql://app:secret@db/app'", "'postgresql://app:(hidden 1)@db/app'"],
];
for (const [text, shown] of secrets) {
  test(`hidden: ${JSON.stringify(text)}`, () => {
    const [hidden] = hideSecrets(text);
    assert.equal(hidden, shown);
    assert.doesNotMatch(hidden.replaceAll(/aws_secret_access_key/g, ''), /secret|sec ret/);
  });
}

test('what holds no secret stays as it is', () => {
  const text = `CREATE TABLE public.users (
    password text DEFAULT 'x'::text NOT NULL,
    CONSTRAINT passed CHECK ((state <> 'compass'::text))
);
COMMENT ON COLUMN public.users.password IS 'bcrypt';
SELECT password = crypt('x', password), token <> 'y';
CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
    host 'db',
    port '5432'
);`;
  assert.deepEqual(hideSecrets(text), [text]);
});

test('a password that was changed is told as a change, and neither is shown', () => {
  const dump = (password: string) => `--
-- Name: USER MAPPING app SERVER other; Type: USER MAPPING; Schema: -; Owner: -
--

CREATE USER MAPPING FOR app SERVER other OPTIONS (
    password '${password}',
    "user" 'app'
);
`;
  assert.deepEqual(
    compareSchemas(dump('one'), dump('two')).flatMap(({ what, type, lines }) => [what, type, ...lines]),
    ['changed', 'USER MAPPING', "-     password '(hidden 1)',", "+     password '(hidden 2)',"],
  );
  assert.deepEqual(compareSchemas(dump('one'), dump('one')), []);
});
