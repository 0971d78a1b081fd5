import { InputError } from '../failure.ts';
import type { RegistryLogin } from '../releases/ask-registry.ts';
import * as grammar from '../runner/grammar.ts';
import type { InputReader } from '../runner/input-reader.ts';

/** Where images come from. */
export interface RegistryInputs {
  /** The registry for a bare tag, and for the login. */
  registry: string;
  /** null: the images are public, or the host is already logged in. */
  login: RegistryLogin | null;
}

/** Without a colon: in HTTP basic authentication, a colon ends the name. */
const loginName: grammar.Grammar<string> = {
  hint: 'Give the name that belongs to the password.',
  parse(value) {
    if (/^[^\s:\p{Cc}]{1,200}$/u.test(value)) return value;
    throw new RangeError('is not a login name');
  },
};

/** Reads them from the workflow. Call it within `readInputs`. */
export function readRegistryInputs(input: InputReader): RegistryInputs {
  return { registry: input.withDefault('registry', grammar.registry, 'ghcr.io'), login: readLogin(input) };
}

function readLogin(input: InputReader): RegistryInputs['login'] {
  const password = input.secret('registry-password');
  const user = input.optional('registry-username', loginName);
  if (password === null && user === null) return null;
  return input.rule(() => {
    if (password === null) {
      throw new InputError(
        'registry-password',
        'is missing, although a user name was given',
        "Set the secret that it comes from, or leave out registry-username: then the host's own login is used",
      );
    }
    if (user !== null) return { user, password: password.trim() };
    throw new InputError(
      'registry-username',
      'is missing, although a password was given',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's expression, not ours
      'Give registry-username: ${{ github.actor }}',
    );
  });
}
