import { counted } from '../units.ts';
import { type SchemaChange, schemaChange } from './schema-change.ts';
import { tableChanges } from './schema-changes-of-table.ts';
import { isPart, type OtherObject, type SchemaModel, schemaModel } from './schema-model.ts';

/**
 * What has changed between two schemas, by object, as code that was written for the earlier one notices it. What no code can
 * notice is left out: comments, statistics, how rows are stored.
 * @param before and after: outputs of `pg_dump --schema-only`
 * @throws RangeError whose message continues "it …"
 */
export function schemaChanges(before: string, after: string): SchemaChange[] {
  const [old, now] = [schemaModel(before), schemaModel(after)];
  return [
    ...changesOfTables(old, now),
    ...changesOfEnums(old, now),
    ...changesOfOthers(old, now),
    ...old.rights.lostIn(now.rights).map((lost) => schemaChange.breaking(`a privilege is gone on ${lost}`)),
  ];
}

function changesOfTables(before: SchemaModel, after: SchemaModel): SchemaChange[] {
  const { breaking, harmless } = schemaChange;
  const changes: SchemaChange[] = [];
  let [partsGone, partsAdded] = [0, 0];
  for (const [name, table] of before.tables) {
    const now = after.tables.get(name);
    const wasPart = isPart(before, table);
    if (now === undefined) {
      const hasWhole = wasPart && table.parents.some((parent) => after.tables.has(parent));
      if (hasWhole) partsGone += 1;
      else if (after.others.has(`VIEW ${name}`)) changes.push(breaking(`table ${name} is a view now`));
      else changes.push(breaking(`table ${name} is gone`));
    } else if (wasPart && !isPart(after, now)) changes.push(harmless(`${name} is no longer a partition`));
    else if (!wasPart) changes.push(...tableChanges(table, now, after));
  }
  for (const [name, table] of after.tables) {
    if (before.tables.has(name)) continue;
    if (isPart(after, table)) partsAdded += 1;
    else changes.push(harmless(`table ${name}`));
  }
  if (partsGone > 0)
    changes.push(harmless(`${counted(partsGone, 'partition')} ${partsGone === 1 ? 'is' : 'are'} gone`));
  if (partsAdded > 0) changes.push(harmless(counted(partsAdded, 'new partition')));
  return changes;
}

function changesOfEnums(before: SchemaModel, after: SchemaModel): SchemaChange[] {
  const { breaking, harmless } = schemaChange;
  const changes: SchemaChange[] = [];
  for (const [name, values] of before.enums) {
    const now = after.enums.get(name);
    if (now === undefined) {
      changes.push(breaking(`type ${name} is gone`));
      continue;
    }
    const kept = values.filter((value) => now.includes(value));
    for (const value of values) if (!now.includes(value)) changes.push(breaking(`${name}: value ${value} is gone`));
    for (const value of now) if (!values.includes(value)) changes.push(harmless(`${name}: value ${value}`));
    if (now.filter((value) => values.includes(value)).join('\0') !== kept.join('\0'))
      changes.push(breaking(`${name}: its values stand in another order`));
  }
  for (const name of after.enums.keys()) if (!before.enums.has(name)) changes.push(harmless(`type ${name}`));
  return changes;
}

function changesOfOthers(before: SchemaModel, after: SchemaModel): SchemaChange[] {
  const { breaking, harmless, rewritten } = schemaChange;
  const changes: SchemaChange[] = [];
  for (const [key, object] of before.others) {
    const now = after.others.get(key);
    if (now?.definition === object.definition || isOfPart(before, object)) continue;
    // What belongs to a table is gone with it.
    if (now === undefined && object.table !== null && !isThere(after, object.table)) continue;
    const isPlainIndex = object.type === 'INDEX' && !object.definition.startsWith('CREATE UNIQUE');
    if (now === undefined) changes.push((isPlainIndex ? harmless : breaking)(`${titleOf(object)} is gone`));
    else changes.push((isPlainIndex ? harmless : rewritten)(`${titleOf(object)} has changed`));
  }
  for (const [key, object] of after.others) {
    if (before.others.has(key) || isOfPart(after, object)) continue;
    const isOfOld = object.table !== null && isThere(before, object.table);
    if (object.table !== null && !isOfOld) continue;
    if (isOfOld && isInTheWay(object))
      changes.push(breaking(`${titleOf(object)} is new, and changes what older code reads or writes`));
    else changes.push(harmless(titleOf(object)));
  }
  return changes;
}

const isThere = ({ tables, others }: SchemaModel, name: string): boolean =>
  tables.has(name) || others.has(`VIEW ${name}`) || others.has(`MATERIALIZED VIEW ${name}`);

function isOfPart(model: SchemaModel, { table }: OtherObject): boolean {
  const found = table === null ? undefined : model.tables.get(table);
  return found !== undefined && isPart(model, found);
}

/** A trigger keeps old and new code in step as often as not; these take something away. */
function isInTheWay({ type, definition }: OtherObject): boolean {
  return (
    (type === 'POLICY' && / AS RESTRICTIVE /.test(definition)) ||
    (type === 'RULE' && / DO INSTEAD /.test(definition)) ||
    (type === 'INDEX' && definition.startsWith('CREATE UNIQUE'))
  );
}

/** `trigger public.orders tr` */
function titleOf({ type, name }: OtherObject): string {
  return `${type.toLowerCase()} ${name}`;
}
