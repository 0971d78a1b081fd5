#!/usr/bin/env node
// Runs one of the project's own programs as users run the actions: under Node 24, with the locked packages.
// It is plain JavaScript without imports of ours, so that a fresh clone on Node 20 needs nothing but npm.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [program, ...programArguments] = process.argv.slice(2);

installPackages();
run(node24(), [join(root, program), ...programArguments]);

/** npm writes node_modules/.package-lock.json last, so a copy of the lock beside it says which lock is installed. */
function installPackages() {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const marker = join(root, 'node_modules', '.installed-lock');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lock) return;

  process.stderr.write('Installing the locked packages (npm ci) …\n');
  rmSync(marker, { force: true });
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' });
  if (npm.status !== 0) stop('npm ci failed: see its messages above. Node 20 or newer with npm is needed.');
  spawnSync('cp', [join(root, 'package-lock.json'), marker]);
}

/** The Node that the actions run on; npm brings it along as a package where the machine has another. */
function node24() {
  const packaged = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  const candidates = [process.execPath, packaged];
  const found = candidates.find((node) => existsSync(node) && versionOf(node).startsWith('v24.'));
  return (
    found ??
    stop(`Node 24 is needed and was found neither at ${candidates.join(' nor at ')}. Install it: https://nodejs.org`)
  );
}

function versionOf(node) {
  return node === process.execPath ? process.version : String(spawnSync(node, ['--version']).stdout);
}

function run(node, nodeArguments) {
  const path = `${dirname(node)}:${join(root, 'node_modules', '.bin')}:${process.env.PATH}`;
  const child = spawn(node, nodeArguments, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path } });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
