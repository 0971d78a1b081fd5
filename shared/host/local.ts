import { spawn } from 'node:child_process';
import { Failure } from '../failure.ts';
import { bootstrap, type Connection, connectionOver } from './connection.ts';
import type { Access, Explain } from './run-program.ts';

/** Uses the runner itself as the host: for a self-hosted runner on the machine that runs the application. */
export function connectLocally(): Connection {
  return connectionOver('this machine', access);
}

const explain: Explain = async ({ code, begun, stderr }) => {
  if (!begun && code === 127) {
    return new Failure('no-bash', 'bash was not found on this machine', {
      hint: 'Install it: apt-get install bash',
      cause: stderr,
    });
  }
  return new Failure('program-lost', `The program ended without a result (exit ${code})`, { cause: stderr });
};

const access: Access = {
  start: () => spawn('/bin/sh', ['-c', bootstrap], { stdio: 'pipe', detached: true }),
  explain,
  isProgram: true,
};
