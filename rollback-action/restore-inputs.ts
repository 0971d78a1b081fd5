import { InputError } from '../shared/failure.ts';
import { readOffsiteInputs } from '../shared/inputs/offsite-inputs.ts';
import type { BucketPlace } from '../shared/offsite/bucket-place.ts';
import * as grammar from '../shared/runner/grammar.ts';
import type { InputReader } from '../shared/runner/input-reader.ts';
import { identitiesIn } from '../shared/sets/age-identities.ts';
import { startOf } from '../shared/sets/naming.ts';

/** The inputs of a restore. */
export interface RestoreInputs {
  /** The id of a backup, or the one that belongs to the target release. */
  wanted: string | 'paired';
  /** Only the database is restored; the release stays as it is. */
  isAlone: boolean;
  from: 'host' | 's3';
  bucket: BucketPlace | null;
  /** Whose copies in the bucket are meant; null: those of the run's own environment. */
  environment: string | null;
  /** Private keys of age or SSH; null if none was given. Never sent to the host. */
  decryptKey: string | null;
  /** Statements that run in the restored database before anybody connects to it; null if there are none. */
  afterSql: string | null;
}

const confirmation = 'RESTORE';

const restoreDatabase: grammar.Grammar<string> = {
  hint: 'Give paired for the backup that belongs to the target, the id of a backup such as 20261125_021700, or none.',
  parse(value) {
    if (value === 'none' || value === 'paired' || startOf(value) !== null) return value;
    throw new RangeError('is neither none, nor paired, nor the id of a backup');
  },
};

const sqlFile: grammar.Grammar<string> = {
  ...grammar.sqlFile,
  parse(value) {
    const text = grammar.sqlFile.parse(value);
    if (text.trim() === '') throw new RangeError('is an empty file');
    return text;
  },
};

/** What other inputs say. */
interface Beside {
  planOnly: boolean;
  /** Neither "target" nor "services" was given. */
  isOpen: boolean;
  strategy: string;
  compose: string;
}

/** Call it within `readInputs`. @returns null if nothing is to be restored */
export function readRestoreInputs(input: InputReader, beside: Beside): RestoreInputs | null {
  const wanted = input.withDefault('restore-database', restoreDatabase, 'none');
  const confirm = input.optional('confirm-restore', grammar.line);
  const from = input.withDefault('restore-from', grammar.choice('host', 's3'), 'host');
  const environment = input.optional('restore-environment', grammar.environmentName);
  const afterSql = input.optional('after-restore-sql', sqlFile);
  const decryptKey = input.secret('decrypt-key');
  const { bucket } = readOffsiteInputs(input);
  if (wanted === 'none') {
    input.rule(() => demandNoOther({ from, environment, afterSql, decryptKey, bucket, confirm }));
    input.rule(() => checkKey(decryptKey));
    return null;
  }
  const isAlone = wanted !== 'paired' && beside.isOpen;
  input.rule(() => checkConfirmation(beside.planOnly, confirm));
  input.rule(() => checkSource(from, bucket));
  input.rule(() => checkEnvironment(wanted, from, environment));
  input.rule(() => checkKey(decryptKey));
  input.rule(() => checkBeside(isAlone, beside));
  return { wanted, isAlone, from, bucket, environment, decryptKey, afterSql };
}

/** Without the restore, an input of it would silently do nothing. */
function demandNoOther({
  from,
  environment,
  afterSql,
  decryptKey,
  bucket,
  confirm,
}: Omit<RestoreInputs, 'wanted' | 'isAlone'> & { confirm: string | null }): void {
  const given: [string, boolean][] = [
    ['restore-from', from === 's3'],
    ['restore-environment', environment !== null],
    ['after-restore-sql', afterSql !== null],
    ['decrypt-key', decryptKey !== null],
    ['s3-bucket', bucket != null],
    ['confirm-restore', confirm !== null],
  ];
  const [name] = given.find(([, isGiven]) => isGiven) ?? [];
  if (name === undefined) return;
  throw new InputError(
    name,
    'has no effect because "restore-database" is none',
    'Set "restore-database" to paired or to the id of a backup, or leave this input out',
  );
}

/** What was written since the backup is given up: nobody should do that with a careless click either. */
function checkConfirmation(planOnly: boolean, confirm: string | null): void {
  if (planOnly || confirm === confirmation) return;
  throw new InputError(
    'confirm-restore',
    confirm === null ? 'is required because "restore-database" is given' : `must be "${confirmation}"`,
    `Write ${confirmation} into the box "confirm-restore" of the form, in capital letters. In a workflow file: confirm-restore: ${confirmation}. To see first what would be given up, tick the box "plan-only". In a workflow file: plan-only: true`,
  );
}

function checkSource(from: 'host' | 's3', bucket: BucketPlace | null | undefined): void {
  if (bucket === undefined) return;
  if (from === 's3' && bucket === null)
    throw new InputError('restore-from', 'needs the bucket with the copies', 'Give "s3-bucket" as well');
  if (from === 'host' && bucket !== null)
    throw new InputError('s3-bucket', 'has no effect because "restore-from" is host', 'Set restore-from: s3');
}

/** Such as of production, for a copy on the host of staging. */
function checkEnvironment(
  wanted: string | undefined,
  from: string | undefined,
  environment: string | null | undefined,
): void {
  if (environment == null || wanted === undefined) return;
  if (from === 'host')
    throw new InputError(
      'restore-environment',
      'has no effect because "restore-from" is host',
      'On the host, an id names a backup whatever its environment: leave it out, or set restore-from: s3',
    );
  if (wanted === 'paired')
    throw new InputError(
      'restore-environment',
      'cannot be combined with paired: a release of this environment has its backups in this environment',
      'Set "restore-database" to the id of a backup',
    );
}

function checkKey(key: string | null): void {
  if (key == null) return;
  try {
    identitiesIn(key);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(
      'decrypt-key',
      error.message,
      'Give the file that age-keygen has written, or just its line AGE-SECRET-KEY-1…, or an SSH key without a passphrase, as a secret',
    );
  }
}

function checkBeside(isAlone: boolean, { strategy, compose }: Beside): void {
  if (strategy === 'blue-green')
    throw new InputError(
      'strategy',
      'cannot be blue-green together with "restore-database": whatever writes has to stop',
      'Leave "strategy" out',
    );
  if (isAlone && compose === 'kept')
    throw new InputError('compose', 'has no effect where only the database is restored', 'Leave "compose" out');
}
