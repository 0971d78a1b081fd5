import { spawn } from 'node:child_process';
import { Failure } from '../failure.ts';
import { bootstrap, type Connection } from './connection.ts';
import { type Access, type Explain, patienceAtClose, type Run, runProgram } from './program.ts';

/** Uses the runner itself as the host: for a self-hosted runner on the machine that runs the application. */
export function connectLocally(): Connection {
  const runs: Run[] = [];
  return {
    target: 'this machine',
    run(program, parameters, options) {
      const run = runProgram(access, program, parameters, options);
      runs.push(run);
      return run;
    },
    async close() {
      await Promise.all(runs.map((run) => run.release(patienceAtClose)));
    },
  };
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
