// GitHub's command line, as release.yml uses it, over bare repositories in a folder ($GITHUB_LAB/owner/name.git) instead of over GitHub.
// Whatever it does not know, it refuses.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

export interface Release {
  id: number;
  tag_name: string;
  name: string;
  body: string;
  draft: boolean;
  latest: boolean;
  /** By name, what it holds. */
  assets: Record<string, string>;
}

/** Where the releases of a repository are. */
export const releasesFile = (lab: string, repository: string): string => join(lab, `${repository}.releases.json`);

/** While this file is there, an upload is cut off after the first asset. */
export const brokenUpload = (lab: string): string => join(lab, 'broken-upload');

/** While this file is there, no tag is set: as at GitHub where workflow files have changed, and the token may not change them. */
export const refusedTags = (lab: string): string => join(lab, 'refused-tags');

if (import.meta.main) main(process.env['GITHUB_LAB'] ?? '', process.argv.slice(2));

function main(lab: string, words: string[]): void {
  if (!process.env['GH_TOKEN']) fail('no GH_TOKEN');
  const [command, subcommand] = words;
  if (command === 'release' && subcommand === 'create') createRelease(lab, words.slice(2));
  else if (command === 'api') process.stdout.write(askApi(lab, words.slice(1)));
  else if (words.join(' ') !== 'auth setup-git') fail(`gh ${words.join(' ')}`);
}

function createRelease(lab: string, args: string[]): void {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      repo: { type: 'string' },
      title: { type: 'string' },
      'notes-file': { type: 'string' },
      'verify-tag': { type: 'boolean' },
      latest: { type: 'string' },
    },
  });
  const { repo: repository = '', title: name = '' } = values;
  const [tag = '', ...assets] = positionals;
  const body = readFileSync(values['notes-file'] ?? '', 'utf8');
  if (!values['verify-tag'] || !refsOf(lab, repository).includes(`refs/tags/${tag}`))
    fail(`${repository} has no tag ${tag}`);
  const others = releasesOf(lab, repository);
  if (others.some((release) => release.tag_name === tag && !release.draft)) fail(`${tag} is released already`);
  const release: Release = {
    id: others.length + 1,
    tag_name: tag,
    name,
    body,
    draft: true,
    latest: values.latest !== 'false',
    assets: {},
  };
  const store = () => storeReleases(lab, repository, [...others, release]);
  for (const asset of assets) {
    release.assets[basename(asset)] = readFileSync(asset, 'latin1');
    store();
    if (existsSync(brokenUpload(lab))) fail('connection reset');
  }
  release.draft = false;
  if (release.latest) for (const other of others) other.latest = false;
  store();
}

/** What gh prints. */
function askApi(lab: string, args: string[]): string {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      method: { type: 'string', short: 'X', default: 'GET' },
      paginate: { type: 'boolean' },
      jq: { type: 'string' },
      field: { type: 'string', short: 'f', multiple: true, default: [] },
      typed: { type: 'string', short: 'F', multiple: true, default: [] },
    },
  });
  const [, repository = '', path = ''] = /^repos\/([\w-]+\/[\w-]+)\/(.+)$/.exec(positionals[0] ?? '') ?? [];
  if (!existsSync(bare(lab, repository))) fail(`there is no ${repository}`);
  const fields = new Map([...values.field, ...values.typed].map((field) => field.split('=') as [string, string]));
  const [ref, wanted] = [path.replace('git/refs/', 'refs/'), path.replace('git/matching-refs/', 'refs/')];
  switch (`${values.method} ${path.replace(/(?<=\/)(\d+|v[\d.]*)$/, '…')}`) {
    case 'GET releases':
      return answer(releasesOf(lab, repository), values.jq);
    case 'DELETE releases/…': {
      const left = releasesOf(lab, repository).filter(({ id }) => path !== `releases/${id}`);
      storeReleases(lab, repository, left);
      return '';
    }
    case 'GET git/matching-refs/tags/…':
      return answer(
        refsOf(lab, repository)
          .filter((name) => name.startsWith(wanted))
          .map((name) => ({ ref: name })),
        values.jq,
      );
    case 'PATCH git/refs/tags/…':
      if (!refsOf(lab, repository).includes(ref) || fields.get('force') !== 'true') fail('Reference does not exist');
      return setRef(lab, repository, ref, fields.get('sha'));
    case 'POST git/refs':
      if (refsOf(lab, repository).includes(fields.get('ref') ?? '')) fail('Reference already exists');
      return setRef(lab, repository, fields.get('ref'), fields.get('sha'));
    default:
      return fail(`${values.method} ${path}`);
  }
}

function answer(value: unknown, filter = '.'): string {
  const { status, stdout, stderr } = spawnSync('jq', ['--raw-output', filter], { input: JSON.stringify(value) });
  if (status !== 0) fail(String(stderr));
  return String(stdout);
}

function releasesOf(lab: string, repository: string): Release[] {
  const file = releasesFile(lab, repository);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
}

function storeReleases(lab: string, repository: string, releases: readonly Release[]): void {
  writeFileSync(releasesFile(lab, repository), JSON.stringify(releases));
}

/** All tags and branches, such as `refs/tags/v1.0.0`. */
function refsOf(lab: string, repository: string): string[] {
  return git(lab, repository, 'for-each-ref', '--format=%(refname)').split('\n');
}

function setRef(lab: string, repository: string, ref = '', sha = ''): string {
  if (existsSync(refusedTags(lab))) fail('Resource not accessible by integration');
  return git(lab, repository, 'update-ref', ref, sha);
}

function git(lab: string, repository: string, ...words: string[]): string {
  return execFileSync('git', ['-C', bare(lab, repository), ...words], { encoding: 'utf8' }).trim();
}

function bare(lab: string, repository: string): string {
  return join(lab, `${repository}.git`);
}

function fail(why: string): never {
  process.stderr.write(`gh: ${why}\n`);
  process.exit(1);
}
