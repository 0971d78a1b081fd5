import { identifier, relationName } from '../postgres/relation-name.ts';
import { leftOut, whyLeftOut } from '../postgres/table-facts.ts';
import type { Manifest } from '../sets/manifest.ts';
import { type Problem, some } from './finding.ts';
import type { RestoredData } from './restored.ts';

/** The extensions that the image has in another version: their own tables may have other columns, and other rows of their own. */
export function changedExtensions({ extensions }: Manifest, restored: RestoredData): Set<string> {
  const present = new Map(restored.extensions.map(({ name, version }) => [name, version]));
  return new Set(extensions.filter(({ name, version }) => present.get(name) !== version).map(({ name }) => name));
}

/**
 * Checks that each extension came back. What somebody has added to one by hand does not: that is told, and not condemned, as it
 * looks just like what an update of the extension has left behind.
 */
export function judgeExtensions(manifest: Manifest, restored: RestoredData, remedy: string): string | Problem {
  const { extensions, members } = manifest;
  const present = new Map(restored.extensions.map(({ name, version }) => [name, version]));
  const missing = extensions.filter(({ name }) => !present.has(name)).map(({ name }) => name);
  if (missing.length > 0) return { detail: `${some(missing)} was not restored`, remedy };
  const changed = extensions.filter(({ name, version }) => present.get(name) !== version);
  const versions = changed.map(({ name, version }) => `${name} ${present.get(name)} instead of ${version}`);
  const seen = [
    changed.length === 0
      ? extensions.length === 0
        ? 'none'
        : some(extensions.map(({ name, version }) => `${name} ${version}`))
      : `all were restored; the image has different versions, whose own tables are not compared: ${some(versions)}`,
    ...(members === null ? ['what belongs to them was not compared: the backup is of an earlier version'] : []),
  ].join('; ');
  const lost = lostMembers(manifest, restored);
  return lost.length === 0 ? seen : notRestored(lost, changed, seen);
}

/** A kind of object as a command calls it. */
const typed = (object: string) =>
  object.replace(/^composite type /, 'type ').replace(/^foreign-data wrapper /, 'foreign data wrapper ');

interface Member {
  extension: string;
  object: string;
  /** `table`: it does not belong to the extension itself, but to one of its tables. `definition`: it is there, and another. */
  lacks: 'member' | 'table' | 'definition' | 'privilege';
}

/**
 * What CREATE EXTENSION does not bring back, except what other checks tell of: tables with rows, and sequences. Of a table that is
 * lost itself, nothing else is told.
 */
function lostMembers(manifest: Manifest, restored: RestoredData): Member[] {
  const { members, tables } = manifest;
  const versions = changedExtensions(manifest, restored);
  const present = new Map(restored.members.map(({ extension, objects }) => [extension, new Set(objects)]));
  const told = new Set(leftOut(tables).map((table) => `table ${relationName(table)}`));
  return (members ?? []).flatMap(({ extension, objects }) => {
    const isLost = (object: string) => !present.get(extension)?.has(object);
    const places = objects.filter((object) => object.startsWith('table '));
    const place = (object: string) =>
      madeOnTable.test(object)
        ? places.find((table) => object.endsWith(` on ${table.slice('table '.length)}`))
        : undefined;
    const defined = objects
      .filter((object) => isLost(object) && !versions.has(extension))
      .flatMap((object) => definitionOf.exec(object)?.[1] ?? [])
      .filter((object) => !isLost(object))
      .map((object): Member => ({ extension, object, lacks: 'definition' }));
    const lost = objects
      .filter(
        (object) =>
          isLost(object) && !told.has(object) && !object.startsWith('sequence ') && !definitionOf.test(object),
      )
      .map((object) => ({ extension, object, on: place(object) }))
      .filter(({ on }) => on === undefined || !isLost(on))
      .map(({ on, object }): Member => {
        const lacks = on !== undefined ? 'table' : publicPrivilege.test(object) ? 'privilege' : 'member';
        return { extension, object, lacks };
      });
    return [...lost, ...defined];
  });
}

const definitionOf = /^definition of (.*): [0-9a-f]+$/s;
const publicPrivilege = /^privilege (\w+) for PUBLIC on schema (.*)$/s;
const madeOnTable = /^(column|index|constraint|trigger|rule) /;

function notRestored(lost: readonly Member[], changed: readonly { name: string }[], seen: string): Problem {
  const that = (...kinds: Member['lacks'][]) => lost.filter(({ lacks }) => kinds.includes(lacks));
  const [gone, defined, privileges] = [that('member', 'table'), that('definition'), that('privilege')];
  const named = gone.map(({ extension, object }) => `${object}, ${whyLeftOut(extension)}`);
  const details = [
    ...(named.length === 0 ? [] : [`not in the dump, and not in a restore: ${some(named)}`]),
    ...(defined.length === 0
      ? []
      : [
          `restored as CREATE EXTENSION defines it, and changed in the database: ${some(defined.map(({ extension, object }) => `${object} of the extension ${extension}`))}`,
        ]),
    ...(privileges.length === 0 ? [] : [`lost in a restore: ${some(privileges.map(({ object }) => object))}`]),
  ];
  const example = that('member')
    .filter(({ extension }) => extension !== '')
    .slice(0, 1)
    .map(({ extension, object }) => `ALTER EXTENSION ${identifier(extension)} DROP ${typed(object)}`);
  const updates = changed
    .filter(({ name }) => gone.some(({ extension }) => extension === name))
    .map(({ name }) => `ALTER EXTENSION ${identifier(name)} UPDATE`);
  const first =
    updates.length === 0
      ? ''
      : `The image has another version of the extension, which may not have them at all. First update the one in the database (${some(updates)}), and take a backup. `;
  const grants = privileges.flatMap(({ object }) => {
    const [, privilege, schema] = publicPrivilege.exec(object) ?? [];
    return privilege === undefined ? [] : [`GRANT ${privilege} ON SCHEMA ${schema} TO PUBLIC`];
  });
  const remedies = [
    ...(example.length === 0
      ? []
      : [
          `pg_dump leaves out what belongs to an extension, and CREATE EXTENSION does not create what was added by hand, or is left over from an earlier version. If you need it, remove it from the extension: ${example}`,
        ]),
    ...(grants.length === 0
      ? []
      : [
          `pg_dump leaves out what everybody may do in a schema that was once called public, as every new database grants that. After a restore: ${grants.join('; ')}`,
        ]),
    ...(gone.some(({ extension }) => extension === '')
      ? [
          'pg_dump leaves out whatever is in pg_catalog and information_schema. Create it in a schema of your own instead',
        ]
      : []),
    ...(that('table').length === 0
      ? []
      : [
          'pg_dump leaves out what somebody has created by hand on a table of an extension. Keep the statements that create it, and run them after a restore',
        ]),
    ...(defined.length === 0
      ? []
      : [
          'pg_dump leaves out what ALTER FUNCTION or CREATE OR REPLACE has changed of an extension, which an earlier version of it may also have left behind. Keep these statements, and run them after a restore; or call a function of your own that calls it',
        ]),
  ];
  return {
    detail: `${details.join('; ')}. The extensions: ${seen}`,
    // A command comes last.
    remedy: `${first}${remedies.toReversed().join('. ')}`,
    severity: 'warning',
  };
}
