// The parts of workflows in the pages, with what is missing around them, so that they can be linted and run as they stand.

/** @param page its path, which says whose inputs those are that stand alone */
export function snippetsIn(page: string, text: string): string[] {
  return Array.from(text.matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm), ([, part = '']) => completed(part, page));
}

function completed(part: string, page: string): string {
  const indented = (by: number) => part.replace(/^(?=.)/gm, ' '.repeat(by));
  const form = ['reason', 'confirm'].map((name) => `      ${name}:\n        type: string\n`).join('');
  const head = `on:\n  workflow_dispatch:\n    inputs:\n${form}`;
  const job = 'jobs:\n  job:\n    runs-on: ubuntu-latest\n';
  if (part.startsWith('jobs:')) return head + part;
  if (part.startsWith('steps:')) return head + job + indented(4);
  if (part.startsWith('- ')) return `${head}${job}    steps:\n${indented(6)}`;
  if (part.startsWith('concurrency:')) return `${head}${part}${job}    steps:\n      - run: 'true'\n`;
  const uses = `uses: atlasia/${page.split('/')[0]}@v1`;
  return `${head}${job}    steps:\n      - ${uses}\n        with:\n          host: local\n${indented(10)}`;
}
