// The commands that a backup prints, and how an operator pastes them.
import assert from 'node:assert/strict';
import type { Outcome } from '../lab/command.ts';
import type { Host } from '../lab/host.ts';
import type { ActionResult } from '../lab/runner.ts';
import { read } from './sets.ts';

/** The blocks of a report, by their number. */
export function blockOf(report: string, number: number): string {
  const sections = report.split(/\n\n {2}(?=\d\. )/);
  const section = sections.find((text) => text.startsWith(`${number}. `));
  // The title may be folded.
  const block = section?.replace(/^.*\n(?: {5}.*\n)*/, '').trimEnd();
  assert.ok(block, report);
  return block;
}

function blockOfSummary(summary: string): string {
  const [, , block] = /^(`{3,})bash\n([\s\S]*?)\n\1$/m.exec(summary) ?? [];
  assert.ok(block, summary);
  return block;
}

/** Report and summary print the same command. */
export async function printedCommand(host: Host, result: ActionResult): Promise<string> {
  const command = blockOf(await read(host, result.outputs['report-file'] ?? ''), 2);
  assert.equal(blockOfSummary(result.summary), command);
  return command;
}

export const paste = (host: Host, command: string): Promise<Outcome> => host.exec(['bash', '-c', command]);
