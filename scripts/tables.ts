// npm run tables: writes the tables of inputs and outputs into each action's README, from its action.yml.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { optionTables, withOptionTables } from './option-tables.ts';

for (const actionFile of globSync('*-action/action.yml').toSorted()) {
  const folder = dirname(actionFile);
  const readme = join(folder, 'README.md');
  const tables = optionTables(folder, readFileSync(actionFile, 'utf8'));
  writeFileSync(readme, withOptionTables(readFileSync(readme, 'utf8'), tables));
}
