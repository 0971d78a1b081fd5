import { spawnSync } from 'node:child_process';
import { replaceScript } from '../../../shared/postgres/scripts.ts';
import { quoteForShell } from '../../../shared/shell-quote.ts';

/**
 * Runs a verb of the script that restores, in a real shell, before a server that is made up. What that answers to a statement stands by
 * a part of it; FAIL: it fails. On standard error is what it was told: the database, the options of the session, words and statements.
 * @param more functions of the shell that stand for further programs
 */
export function inContainer(
  verb: string,
  answers: Readonly<Record<string, string>>,
  { words = [], input = '', more = '' }: { words?: readonly string[]; input?: string; more?: string } = {},
) {
  const cases = Object.entries(answers).map(
    ([part, answer]) => `*${quoteForShell(part)}*) answer=${quoteForShell(answer)} ;;`,
  );
  const server = `
    psql() {
      said="$PGDATABASE [$PGOPTIONS] $*" answer=''
      # As the real one: what follows -c is all.
      case " $* " in *' -c '*) ;; *) said="$said $(cat)" ;; esac
      printf '%s\\n' "$said" >&2
      case $said in ${cases.join('\n')} esac
      [ "$answer" != FAIL ] || return 3
      [ -z "$answer" ] || printf '%s\\n' "$answer"
    }`;
  // In place of the programs, but known to all functions of the script.
  const script = `${server}\n${more}\n${replaceScript()}`;
  const { stdout, stderr, status } = spawnSync('sh', ['-c', script, 'inside', verb, ...words], {
    encoding: 'utf8',
    input,
    env: { PATH: process.env['PATH'] ?? '', PGUSER: 'u', PGDATABASE: 'shop' },
  });
  return { stdout, stderr, status };
}
