import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/host.ts';
import { startAction } from '../lab/runner.ts';

/** For Node: the process says at its end how much memory it had at most. */
export const tellsPeak =
  "--import data:text/javascript,process.on('exit',()=>process.stderr.write('peak\\x20'+process.resourceUsage().maxRSS*1024+'\\n'))";

/** Bytes, of what such a process has written. */
export function peakIn(stderr: string): number | undefined {
  const [, bytes] = /peak (\d+)/.exec(stderr) ?? [];
  return bytes === undefined ? undefined : Number(bytes);
}

/** In bytes. */
export interface Peaks {
  runner: number;
  host: number;
}

/** The most memory at one time; on the host that of all processes of its sessions together, looked at every 50 ms. */
export async function peaksOf(host: Host, action: string, inputs: Readonly<Record<string, string>>): Promise<Peaks> {
  const running = await startAction(action, inputs, { env: { NODE_OPTIONS: tellsPeak } });
  let onHost = 0;
  let ended = false;
  const finished = running.finished.finally(() => {
    ended = true;
  });
  while (!ended) {
    const pids = (await host.processes()).filter(({ where }) => where === 'host').map(({ pid }) => pid);
    onHost = Math.max(
      onHost,
      pids.map(residentBytes).reduce((sum, bytes) => sum + bytes, 0),
    );
    await sleep(50);
  }
  const { exitCode, stdout, stderr } = await finished;
  if (exitCode !== 0) throw new Error(`The action failed:\n${stdout}${stderr}`);
  return { runner: peakIn(stderr) ?? Number.NaN, host: onHost };
}

function residentBytes(pid: number): number {
  try {
    return 1_024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}
