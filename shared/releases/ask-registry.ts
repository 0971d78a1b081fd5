import { isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';

export interface RegistryLogin {
  user: string;
  password: string;
}

export interface RegistryQuestion {
  registry: string;
  /** null: the images are public, or the host is logged in. */
  login: RegistryLogin | null;
  /** `repository@digest`, or `repository:tag`. */
  references: readonly string[];
  signal: AbortSignal;
  onLog: (line: string) => void;
}

export interface RegistryAnswer {
  /** Why the registry refuses the login; null if it accepts it, or none was given. */
  refusal: string | null;
  /** Images that the registry has. */
  there: string[];
  /** Images that it does not have, or gave no answer about, with the message. */
  away: { reference: string; why: string }[];
}

const program: Program<{ registry: string; user: string; password: string; references: readonly string[] }> = {
  name: 'ask-registry',
  step: 'the registry check',
  scripts: [
    new URL('../host/open-parent.sh', import.meta.url),
    new URL('./login.sh', import.meta.url),
    new URL('./ask-registry.sh', import.meta.url),
  ],
};

/** Answers that come from the registry itself. Any other error proves nothing about the login. */
const refusal = /unauthorized|denied|forbidden|incorrect username|\b40[13]\b/i;

/** Asks the registry from the host whether it has the images that a rollback would pull. Pulls nothing. */
export async function askRegistry(connection: Connection, question: RegistryQuestion): Promise<RegistryAnswer> {
  const { registry, login, references, signal, onLog } = question;
  const parameters = { registry, user: login?.user ?? '', password: login?.password ?? '', references };
  const deadline = 90_000 + references.length * 30_000;
  try {
    const records = await connection.run(program, parameters, { deadline, atEnd: 'end', signal, onLog }).result;
    return {
      refusal: null,
      there: records.all('there'),
      away: records.all('away').map((value) => {
        const space = value.indexOf(' ');
        return { reference: value.slice(0, space), why: value.slice(space + 1).trim() };
      }),
    };
  } catch (error) {
    if (!isFailure(error, 'login-failed') || !refusal.test(error.message)) throw error;
    return { refusal: error.message, there: [], away: [] };
  }
}
