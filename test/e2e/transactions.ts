// A transaction on the host as its journal shows it, and how it is struck at a step of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Application } from '../lab/application.ts';
import { asRoot, run } from '../lab/command.ts';
import { patienceMs, until } from '../lab/faults.ts';
import type { Host } from '../lab/host.ts';

/** A transaction's folder on the host. */
export interface Transaction {
  folder: string;
  /** Steps with their details, as far as it has come. */
  journal(): string[][];
  /** When the steps of a name were written, in milliseconds since 1970. */
  times(step: string): number[];
  /** When the prober asked a service, in the same way. */
  questions(service: string): number[];
}

/** The next transaction of a backup folder: whatever is there when it is asked for is over. */
export function watchTransaction(app: { host: Pick<Host, 'deployDir'> }, backupDir: string) {
  const parent = join(app.host.deployDir, backupDir, 'rollback', 'transactions');
  const earlier = new Set(foldersIn(parent));
  const next = () => foldersIn(parent).find((name) => !earlier.has(name));
  const transactionOf = (name: string): Transaction => {
    const folder = join(parent, name);
    return {
      folder,
      journal: () => journalIn(folder),
      times: (step) =>
        linesIn(join(folder, 'journal'))
          .map((line) => line.split('\t'))
          .filter(([, name]) => name === step)
          .map(([at]) => Number(at)),
      questions: (service) =>
        linesIn(join(folder, 'probes', `${service}.tsv`)).map((line) => Number(line.split(' ')[0])),
    };
  };
  return {
    /** As soon as the journal tells of this step. Looking without a pause would take a core from those who are looked at. */
    async reached(step: string): Promise<Transaction> {
      const end = performance.now() + patienceMs;
      for (;;) {
        const name = next();
        if (name !== undefined && journalIn(join(parent, name)).some(([known]) => known === step)) {
          return transactionOf(name);
        }
        if (performance.now() > end) throw new Error(`No transaction has come to "${step}"`);
        await sleep(1);
      }
    },
    /** Every one since. */
    all: () =>
      foldersIn(parent)
        .filter((name) => !earlier.has(name))
        .map(transactionOf),
    async ended(): Promise<Transaction> {
      const name = await until('a transaction that ends', async () => {
        const found = next();
        return found !== undefined && journalIn(join(parent, found)).some(([step]) => step === 'ended')
          ? found
          : undefined;
      });
      return transactionOf(name);
    },
  };
}

/** Kills the engine alone; its supervisor starts it again. */
export async function killEngine({ folder }: Transaction): Promise<void> {
  await kill([await engineOf(supervisorOf(folder))]);
}

/** Kills both, as a machine does that goes down: nobody is left who would end the transaction. */
export async function killSupervisorAndEngine({ folder }: Transaction): Promise<void> {
  const supervisor = supervisorOf(folder);
  await kill([supervisor, await engineOf(supervisor)]);
}

function supervisorOf(folder: string): number {
  return Number(readFileSync(join(folder, 'carrier'), 'utf8'));
}

function engineOf(supervisor: number): Promise<number> {
  return until('an engine', async () => childOf(supervisor));
}

function childOf(process: number): number | undefined {
  const children = readFileSync(`/proc/${process}/task/${process}/children`, 'utf8').trim().split(' ');
  return children
    .map(Number)
    .filter((pid) => pid > 0)
    .find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0engine\0'));
}

async function kill(pids: readonly number[]): Promise<void> {
  await run(asRoot(['kill', '-KILL', ...pids.map(String)]));
}

function journalIn(folder: string): string[][] {
  return linesIn(join(folder, 'journal')).map((line) => line.split('\t').slice(1));
}

/** Whole lines; none where the file is not there yet. */
function linesIn(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path).filter((name) => /^\d/.test(name));
  } catch {
    return [];
  }
}

/** Until Docker tells of such an event of a container of the application's: what no journal has a line for. */
export async function dockerTells(app: Application, event: string): Promise<void> {
  const filters = [`event=${event}`, 'type=container', `label=com.docker.compose.project=${app.host.project}`];
  const words = ['events', '--format', '{{.Action}}', ...filters.flatMap((filter) => ['--filter', filter])];
  const events = spawn('docker', words, { env: app.host.env, stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await once(events.stdout, 'data');
  } finally {
    events.kill();
  }
}
