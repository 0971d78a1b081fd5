// `npm run pictures`: runs the actions against the lab, and draws their summaries with a browser, as GitHub shows them. The pictures
// lie in docs/pictures, each beside the Markdown that it shows; test/e2e/pictures.test.ts compares that with what the code prints,
// and test/unit/pictures.test.ts sees that neither was changed alone.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './command.ts';
import { temporaryFolder } from './folder.ts';
import { openLab } from './lab.ts';
import { needPackages, needPrograms } from './packages.ts';
import { sumsFile, sumsOf } from './picture-sums.ts';
import { startRegistry } from './registry.ts';
import { summariesToShow } from './summaries.ts';

const folder = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
const width = 912;

/** The measures of GitHub's own style sheet, as far as summaries need them. */
const style = `
body { font: 14px/1.5 "DejaVu Sans", "Noto Color Emoji"; color: #1f2328; background: #fff; margin: 0; padding: 8px 24px; }
h2 { font-size: 20px; border-bottom: 1px solid #d1d9e0; padding-bottom: .3em; margin: 8px 0 16px; }
h3 { font-size: 17px; margin: 20px 0 12px; }
p { margin: 0 0 12px; }
table { border-collapse: collapse; margin: 0 0 16px; }
td, th { border: 1px solid #d1d9e0; padding: 5px 12px; }
th { font-weight: 600; }
tr:nth-child(2n) { background: #f6f8fa; }
code { font: 12px "DejaVu Sans Mono"; background: #818b981f; border-radius: 6px; padding: .2em .4em; word-break: break-word; }
pre { background: #f6f8fa; border-radius: 6px; padding: 14px; margin: 0 0 16px; line-height: 1.45; }
pre code { background: none; padding: 0; }
a { color: #0969da; }
details { margin-bottom: 10px; }`;

await needPrograms({ chromium: 'chromium', 'cmark-gfm': 'cmark-gfm' });
await needPackages('fonts-dejavu-core', 'fonts-noto-color-emoji');
const lab = await openLab();
const registry = await startRegistry();
try {
  const summaries = await summariesToShow(lab, registry);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [name, summary] of Object.entries(summaries)) {
    writeFileSync(join(folder, `${name}.md`), summary);
    await draw(summary, join(folder, `${name}.png`));
    console.log(`docs/pictures/${name}.png`);
  }
  writeFileSync(join(folder, sumsFile), sumsOf(folder));
} finally {
  await registry.close();
  await lab.close();
}

async function draw(summary: string, picture: string): Promise<void> {
  // GitHub's own renderer of Markdown.
  const html = await run(['cmark-gfm', '--unsafe', '--extension', 'table', '--extension', 'autolink'], {
    input: summary,
  });
  const home = temporaryFolder('browser');
  const page = join(home, 'page.html');
  const browser = [
    'chromium',
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    `--user-data-dir=${home}/data`,
  ];
  const write = (more: string) =>
    writeFileSync(
      page,
      `<!doctype html><meta charset="utf-8"><title>0</title><style>${style}</style><body>${html}${more}`,
    );
  // The browser draws a window, not a page: ask it first how high the page is.
  write('<script>document.title = document.documentElement.scrollHeight</script>');
  const size = (height: number) => `--window-size=${width},${height}`;
  const dom = await run([...browser, size(100), '--dump-dom', `file://${page}`]);
  const height = Number(/<title>(\d+)<\/title>/.exec(dom)?.[1]);
  write('');
  await run([...browser, size(height), `--screenshot=${picture}`, `file://${page}`]);
}
