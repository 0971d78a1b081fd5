import { Failure } from '../failure.ts';
import { quoteForShell } from '../shell-quote.ts';
import { envFilesOf } from '../survey/compose-call.ts';
import type { Survey } from '../survey/survey.ts';
import { composeCommand, type OperatorsCall } from './compose-command.ts';
import { demandCompose } from './compose-version.ts';
import { type ComposeProject, readProject } from './project.ts';

/**
 * The project as compose reads it from the files on the host.
 * @throws Failure `no-compose`, `compose-too-old`; `bad-compose-config` with compose's own words, as far as they may be told
 */
export function readableProject(
  seen: Pick<Survey, 'compose' | 'user'>,
  { deployDir, projectName }: Omit<OperatorsCall, 'call'>,
): ComposeProject {
  const { call, config, template, idle, words } = demandCompose(seen);
  const check = `${composeCommand({ deployDir, projectName, call }, seen.user)} config --quiet`;
  if (config.trim() !== '') return readProject(config, template, check, idle);
  const lines = words
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) {
    throw new Failure(
      'bad-compose-config',
      'Compose cannot read the project. What it says may quote secrets from your files, so it stays on the host',
      { hint: `To see it: ${check}` },
    );
  }
  const remedy = remedyFor(lines.join('\n'), envFilesOf(call, deployDir).at(-1) ?? '.env', seen.user);
  throw new Failure('bad-compose-config', `Compose cannot read the project: ${lines.join('; ')}`, {
    hint: remedy === null ? `Correct that, then check it. ${check}` : `${remedy}. Then check it. ${check}`,
  });
}

/** What to do about the usual mistakes; null for others, whose message says it. */
function remedyFor(words: string, variables: string, user: string): string | null {
  const [, closed] = /(?:open|stat|read) (\/.+): permission denied/.exec(words) ?? [];
  if (closed !== undefined) return `Let ${user} read that file. As root: chown ${user} ${quoteForShell(closed)}`;
  const [, missing] = /required variable (\w+) is missing/.exec(words) ?? [];
  if (missing !== undefined)
    return `Set ${missing} in ${variables}: a variable of the deployer's shell is not there later`;
  if (/couldn't find env file/i.test(words)) return 'Correct "env-file", or put that file there';
  if (/no configuration file provided/.test(words)) return 'Correct "deploy-dir" or "compose-file"';
  const [, away] = /(?:open|stat|env file) (\/.+?)(?: not found)?: (?:stat|no such)/.exec(words) ?? [];
  if (away !== undefined)
    return `Put ${quoteForShell(away)} there, or correct what names it: "compose-file", or the compose file`;
  return null;
}
