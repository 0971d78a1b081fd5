import { InputError } from '../failure.ts';
import * as grammar from '../runner/grammar.ts';
import type { InputReader } from '../runner/input-reader.ts';
import { recipientsIn } from '../sets/age-keys.ts';

/** Whether backups are encrypted, and to whom. */
export interface EncryptionInputs {
  encryption: 'none' | 'age';
  /** Public keys; empty if nothing is encrypted. */
  recipients: string[];
}

/** Reads them from the workflow. Call it within `readInputs`. */
export function readEncryptionInputs(input: InputReader): EncryptionInputs {
  const encryption = input.withDefault('encrypt', grammar.choice('none', 'age'), 'none');
  const given = input.optional('encrypt-to', recipientList);
  const recipients = given === null ? [] : given;
  input.rule(() => checkRecipients(encryption, recipients));
  return { encryption, recipients };
}

const recipientHint =
  'Give public keys, one a line: age1… as age-keygen prints it, or ssh-ed25519 and ssh-rsa keys. Lines that begin with # are comments';

/** It may hold a private key by mistake, so its value is never shown. */
const recipientList: grammar.Grammar<string[]> = {
  hint: recipientHint,
  parse(value) {
    try {
      return recipientsIn(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new InputError('encrypt-to', error.message, recipientHint);
    }
  },
};

/** Either is undefined if it could not be read; that has been reported by then. */
function checkRecipients(encryption: EncryptionInputs['encryption'], recipients: readonly string[]): void {
  if (encryption === 'age' && recipients?.length === 0) {
    throw new InputError('encrypt-to', 'is required with encrypt: age', recipientHint);
  }
  if (encryption === 'none' && recipients?.length > 0) {
    throw new InputError('encrypt-to', 'is given, but nothing is to be encrypted', 'Set "encrypt" to age as well');
  }
}
