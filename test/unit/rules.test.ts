// The rules that `npm run mutate` takes out must still stand where they stood, or nothing would be taken out.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { withoutRule } from '../../scripts/rules/rule.ts';
import { rules } from '../../scripts/rules.ts';

const root = join(import.meta.dirname, '..', '..');

test('each rule stands once in its file, has a test, and is listed once', () => {
  assert.ok(rules.length > 150);
  for (const rule of rules) {
    const source = readFileSync(join(root, rule.file), 'utf8');
    const changed = withoutRule(source, rule);
    assert.ok(changed !== null && changed !== source, `${rule.file}: ${rule.rule}`);
    assert.ok(existsSync(join(root, rule.test)), `${rule.rule}: ${rule.test} is not there`);
  }
  const names = rules.map(({ rule }) => rule);
  assert.deepEqual([...new Set(names)], names);
});

test('a program without a rule can still be read: or its tests would fail whatever they look at', () => {
  for (const rule of rules) {
    const changed = withoutRule(readFileSync(join(root, rule.file), 'utf8'), rule) ?? '';
    if (rule.file.endsWith('.ts')) assert.doesNotThrow(() => stripTypeScriptTypes(changed), rule.rule);
    else if (rule.file.endsWith('.sh'))
      assert.equal(spawnSync('bash', ['-n'], { input: changed, encoding: 'utf8' }).stderr, '', rule.rule);
  }
});

test('a rule that stands twice, or no more, is not taken out', () => {
  const rule = { rule: 'x', file: 'x', test: 'x', text: 'check; ' };
  assert.equal(withoutRule('begin; check; go', rule), 'begin; go');
  assert.equal(withoutRule('begin; check; go', { ...rule, instead: ': ; ' }), 'begin; : ; go');
  assert.equal(withoutRule('check; begin; check; go', rule), null);
  assert.equal(withoutRule('begin; go', rule), null);
});
