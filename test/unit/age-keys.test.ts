// Keys of age as people give them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { identitiesIn } from '../../shared/sets/age-identities.ts';
import { recipientsIn } from '../../shared/sets/age-keys.ts';
import { makeKey } from '../lab/keys.ts';

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);

const capital = (letter: string) => letter.toUpperCase();

const withPassphrase = await makeKey({ passphrase: 'hush' });
const ecdsa = await makeKey({ type: 'ecdsa' });

/** An SSH key as ssh-keygen writes it: fields, each after its length. */
function sshKey(type: string, ...fields: Buffer[]): string {
  const parts = [Buffer.from(type), ...fields].flatMap((field) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    return [length, field];
  });
  return `${type} ${Buffer.concat(parts).toString('base64')}`;
}

/** The key with so many bytes less at its end; with more, where the number is negative. */
function cut(key: string, bytes: number): string {
  const [type, base64 = ''] = key.split(' ');
  const wire = Buffer.concat([Buffer.from(base64, 'base64'), Buffer.alloc(8)]);
  return `${type} ${wire.subarray(0, wire.length - 8 - bytes).toString('base64')}`;
}
const ed25519 = sshKey('ssh-ed25519', Buffer.alloc(32, 7));
const rsaFields = (bits: number) => [
  Buffer.from([1, 0, 1]),
  Buffer.concat([Buffer.alloc(1), Buffer.alloc(bits / 8, 0xc1)]),
];
const rsa = (bits: number) => sshKey('ssh-rsa', ...rsaFields(bits));

test('recipients are taken without comments, each once', () => {
  const text = `# the office's safe\n${recipient}\r\n\n  ${ed25519} anna@example.org\n${rsa(3072)} a b c\n${recipient}\n`;
  assert.deepEqual(recipientsIn(text), [recipient, ed25519, rsa(3072)]);
});

test('the shortest RSA key that age takes is taken', () => assert.deepEqual(recipientsIn(rsa(2048)), [rsa(2048)]));

test('private keys are taken as age-keygen writes them', () => {
  assert.deepEqual(identitiesIn(`# created: today\n# public key: ${recipient}\n${identity}\n`), [identity]);
  assert.deepEqual(identitiesIn(identity), [identity]);
});

describe('refused', () => {
  const other = recipient.at(-1) === 'q' ? 'p' : 'q';
  const recipients: [what: string, text: string, reason: RegExp][] = [
    ['nothing', '# only a comment', /has no recipient/],
    ['a misspelled letter', recipient.slice(0, -1) + other, /misspelled: its checksum is wrong \(line 1\)/],
    ['two letters exchanged', exchanged(recipient), /checksum is wrong/],
    ['a cut key', `# x\n${recipient.slice(0, -3)}`, /cut off or misspelled \(line 2\)/],
    ['capitals in between', `age1${recipient.slice(4).replace(/[a-z]/, capital)}`, /cut off or misspelled/],
    ['a letter that no key has', recipient.replace(/.$/, 'b'), /cut off or misspelled/],
    ['a private key', identity, /private key: give the public one/],
    ["a plugin's", 'age1yubikey1qwerty', /not every age knows/],
    ['a post-quantum one', 'age1pq1qwerty', /not every age knows/],
    ['a text', 'anna@example.org', /not a key: give one public key per line/],
    ['a PGP key', '-----BEGIN PGP PUBLIC KEY BLOCK-----', /not a key/],
    ['an ECDSA key', 'ecdsa-sha2-nistp256 AAAA', /ecdsa-sha2-nistp256, which age does not take/],
    ['a key on a token', 'sk-ssh-ed25519@openssh.com AAAA', /does not take/],
    ['a cut SSH key', ed25519.slice(0, -8), /SSH key that is cut off/],
    ['an SSH key of another type within', ed25519.replace('ssh-ed25519', 'ssh-rsa'), /SSH key that is cut off/],
    ['an SSH key that is cut within its length', cut(ed25519, -2), /SSH key that is cut off/],
    ['an Ed25519 key that is too short', sshKey('ssh-ed25519', Buffer.alloc(31, 7)), /SSH key that is cut off/],
    [
      'two Ed25519 keys in one',
      sshKey('ssh-ed25519', Buffer.alloc(32, 7), Buffer.alloc(32, 8)),
      /SSH key that is cut off/,
    ],
    // What is left would be long enough.
    ['a cut RSA key', cut(rsa(3072), 6), /SSH key that is cut off/],
    ['an RSA key with something behind it', sshKey('ssh-rsa', ...rsaFields(3072), Buffer.alloc(4)), /is cut off/],
    [
      'an RSA key by the name of another type within',
      sshKey('ssh-xxx', ...rsaFields(3072)).replace('ssh-xxx', 'ssh-rsa'),
      /SSH key that is cut off/,
    ],
    ['a short RSA key', rsa(1024), /less than 2048 bits/],
    ['an RSA key that is a little too short', rsa(2040), /less than 2048 bits/],
    ['options before an SSH key', `restrict ${ed25519}`, /not a key/],
  ];
  for (const [what, text, reason] of recipients) {
    test(`as a recipient: ${what}`, () => assert.throws(() => recipientsIn(text), reason));
  }

  const identities: [what: string, text: string, reason: RegExp][] = [
    ['nothing', '\n# comment\n', /has no key/],
    ['a public key', recipient, /not a private age key/],
    ['a misspelled letter', identity.slice(0, -1) + (identity.at(-1) === 'Q' ? 'P' : 'Q'), /checksum is wrong/],
    ['a key in small letters', identity.toLowerCase(), /not a private age key/],
    [
      'a small letter in between',
      identity.replace(/(?<=^AGE-SECRET-KEY-1[0-9]*)[A-Z]/, (letter) => letter.toLowerCase()),
      /cut off or misspelled/,
    ],
    ['a cut SSH key', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n', /SSH key that is cut off: give all/],
    [
      'a misspelled SSH key',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n-----END OPENSSH PRIVATE KEY-----',
      /SSH key that is cut off or misspelled/,
    ],
    ['an SSH key with a passphrase', withPassphrase.privateKey, /with a passphrase/],
    ['an SSH key of another type', ecdsa.privateKey, /only Ed25519 and RSA/],
  ];
  for (const [what, text, reason] of identities) {
    test(`as a private key: ${what}`, () => {
      assert.throws(
        () => identitiesIn(text),
        (error: Error) => {
          assert.match(error.message, reason);
          assert.ok(!error.message.toUpperCase().includes(identity.slice(20, 30)), 'it quotes the key');
          return true;
        },
      );
    });
  }

  /** Two neighbours that differ. */
  function exchanged(key: string): string {
    const at = [...key].findIndex((letter, index) => index > 6 && letter !== key[index + 1]);
    return key.slice(0, at) + key[at + 1] + key[at] + key.slice(at + 2);
  }
});
