import { fileURLToPath } from 'node:url';
import { asRoot, attempt, canBeRoot, run, whereIs } from './command.ts';
import { alone } from './folder.ts';

const installer = fileURLToPath(new URL('./install-packages.sh', import.meta.url));

/** Sees to it that programs are there: each is named with the Debian package that brings it. */
export async function needPrograms(packageOf: Readonly<Record<string, string>>): Promise<void> {
  const missing = Object.keys(packageOf).filter((program) => whereIs(program) === undefined);
  await install(missing.map((program) => packageOf[program] ?? program));
}

/** Sees to it that Debian packages are installed. */
export async function needPackages(...names: string[]): Promise<void> {
  const installed = await Promise.all(names.map(isInstalled));
  await install(names.filter((_, index) => !installed[index]));
}

/** The version apt would install, or nothing where it knows no such package. */
export async function candidateVersion(name: string): Promise<string | undefined> {
  const { stdout } = await attempt(['apt-cache', 'policy', name]);
  return /^ *Candidate: (?!\(none\))(\S+)/m.exec(stdout)?.[1];
}

async function install(names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  if (!(await canBeRoot())) {
    throw new Error(`Install what the lab needs, then try again: sudo apt-get install ${names.join(' ')}`);
  }
  process.stderr.write(`Installing ${names.join(', ')} …\n`);
  await alone('packages', () => run(asRoot(['bash', installer, ...names])));
}

async function isInstalled(name: string): Promise<boolean> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is dpkg's
  const { stdout } = await attempt(['dpkg-query', '-W', '-f', '${Status}', name]);
  return stdout === 'install ok installed';
}
