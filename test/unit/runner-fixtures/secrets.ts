// Reads secrets as an action does, and prints what became of them.
import { text } from '../../../shared/runner/grammar.ts';
import { readInputs } from '../../../shared/runner/input-reader.ts';
import { withoutSecrets } from '../../../shared/runner/secrets.ts';

const secrets = readInputs((input) => ({
  key: input.secret('ssh-key'),
  passphrase: input.secret('ssh-key-passphrase'),
  short: input.secret('short'),
  absent: input.secret('absent'),
  name: input.optional('db-name', text),
}));
const told = withoutSecrets(process.env['TOLD'] ?? '');
process.stdout.write(`${JSON.stringify({ secrets, left: process.env['INPUT_SSH-KEY'] ?? null, told })}\n`);
