import { InputError } from '../failure.ts';
import * as grammar from '../runner/grammar.ts';
import type { InputReader } from '../runner/input-reader.ts';
import type { EncryptionInputs } from './encryption-inputs.ts';

/** Where a backup is encrypted. */
export interface SealingInputs {
  /** What the host encrypts, and to which keys. */
  encryption: EncryptionInputs['encryption'];
  recipients: string[];
  /** Keys to which the runner encrypts copies of plain sets, on their way into the bucket; empty: it does not. */
  sealTo: string[];
}

/**
 * Reads where to encrypt. Call it within `readInputs`.
 * @param encrypted what to encrypt, and to whom
 * @param hasBucket whether copies are kept off the host
 */
export function readSealingInputs(
  input: InputReader,
  { encryption, recipients }: EncryptionInputs,
  hasBucket: boolean,
): SealingInputs {
  const where = input.withDefault('encrypt-at', grammar.choice('host', 'runner'), 'host');
  if (where !== 'runner') return { encryption, recipients, sealTo: [] };
  input.rule(() => {
    if (encryption === 'none')
      throw new InputError('encrypt-at', 'is runner, but nothing is to be encrypted', 'Set "encrypt" to age as well');
    if (!hasBucket)
      throw new InputError(
        'encrypt-at',
        'is runner, but there is no bucket: nothing would be encrypted at all',
        'Give "s3-bucket", or let the host encrypt: encrypt-at: host',
      );
  });
  return { encryption: 'none', recipients: [], sealTo: recipients };
}
