// A project that compose cannot read is refused in compose's own words, with the command that an operator would type.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../../shared/failure.ts';
import { composeCommand, type OperatorsCall } from '../../../shared/releases/compose-command.ts';
import { readableProject } from '../../../shared/releases/readable-project.ts';
import { type ComposeCall, readComposeCall } from '../../../shared/survey/compose-call.ts';
import { composeSurvey } from '../compose-survey.ts';

const plain = { deployDir: '/opt/shop', projectName: null, call: readComposeCall([]) };

function refusal(words: string, call: Partial<ComposeCall> = {}): Failure {
  const compose = composeSurvey({ config: '', words, call: { ...plain.call, ...call } });
  try {
    readableProject({ user: 'deploy', compose }, plain);
  } catch (error) {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, 'bad-compose-config');
    return error;
  }
  return assert.fail('the project was read');
}

describe('the command to type', () => {
  const cases: [what: string, changes: Partial<OperatorsCall>, command: string][] = [
    ['has nothing that compose finds by itself', {}, 'cd /opt/shop && docker compose'],
    [
      'has every file, in order',
      { call: readComposeCall(['file docker-compose.yml', 'file prod.yml']) },
      'cd /opt/shop && docker compose -f docker-compose.yml -f prod.yml',
    ],
    [
      'has the env file and the project',
      { call: readComposeCall(['env-file ../prod.env']), projectName: 'shop-1' },
      'cd /opt/shop && docker compose --project-name shop-1 --env-file ../prod.env',
    ],
    [
      'is quoted',
      { deployDir: '/opt/my shop', call: readComposeCall(["file it's.yml"]) },
      "cd '/opt/my shop' && docker compose -f 'it'\\''s.yml'",
    ],
  ];
  for (const [what, changes, command] of cases)
    test(what, () =>
      assert.equal(composeCommand({ ...plain, ...changes }, 'deploy'), `On the host, as deploy: ${command}`),
    );
});

describe('a project that compose cannot read', () => {
  const check = 'On the host, as deploy: cd /opt/shop && docker compose config --quiet';
  const cases: [words: string, remedy: string][] = [
    [
      'open /opt/shop/.env: permission denied',
      'Let deploy read that file. As root: chown deploy /opt/shop/.env. Then check it. ',
    ],
    [
      'error while interpolating services.app.image: required variable TAG is missing a value',
      "Set TAG in /opt/shop/.env: a variable of the deployer's shell is not there later. Then check it. ",
    ],
    [
      'env file /opt/shop/a b.env not found: stat /opt/shop/a b.env: no such file or directory',
      `Put '/opt/shop/a b.env' there, or correct what names it: "compose-file", or the compose file. Then check it. `,
    ],
    [
      'open /opt/shop/nope/compose.yml: no such file or directory',
      'Put /opt/shop/nope/compose.yml there, or correct what names it: "compose-file", or the compose file. Then check it. ',
    ],
    ["couldn't find env file: /opt/shop/x", 'Correct "env-file", or put that file there. Then check it. '],
    ['no configuration file provided: not found', 'Correct "deploy-dir" or "compose-file". Then check it. '],
    ['yaml: line 3: did not find expected key', 'Correct that, then check it. '],
  ];
  for (const [words, remedy] of cases)
    test(`is refused in compose's words: ${words}`, () => {
      const { message, hint } = refusal(`${words}\n`);
      assert.equal(message, `Compose cannot read the project: ${words}`);
      assert.equal(hint, remedy + check);
    });

  test('has its lines joined', () => {
    const { message } = refusal('yaml: unmarshal errors:\n  line 4: mapping key "image" already defined at line 3\n');
    assert.match(message, /: yaml: unmarshal errors:; line 4: mapping key "image" already defined at line 3$/);
  });

  test('is told to be hidden where nothing may be told', () => {
    const { message, hint } = refusal('');
    assert.match(message, /What it says may quote secrets from your files, so it stays on the host$/);
    assert.equal(hint, `To see it: ${check}`);
  });

  test('names the env file that is given', () => {
    const words = 'error while interpolating services.app.image: required variable TAG is missing a value';
    assert.match(refusal(words, { envFiles: ['prod.env'] }).hint ?? '', /^Set TAG in \/opt\/shop\/prod\.env: /);
    assert.match(refusal(words, { envFiles: ['/etc/prod.env'] }).hint ?? '', /^Set TAG in \/etc\/prod\.env: /);
  });
});
