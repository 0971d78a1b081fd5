/** What must agree before a version is released. */
export interface Release {
  /** `v1.2.3`. */
  tag: string;
  packageVersion: string;
  lockVersion: string;
  changelog: string;
}

/** @returns one line for each mismatch; none if the release may be made */
export function releaseProblems({ tag, packageVersion, lockVersion, changelog }: Release): string[] {
  const version = /^v(\d+\.\d+\.\d+)$/.exec(tag)?.[1];
  if (version === undefined) return [`${tag} is not a release tag: it must look like v1.2.3`];
  const problems: string[] = [];
  if (packageVersion !== version) problems.push(`package.json has version ${packageVersion}, but the tag is ${tag}`);
  if (lockVersion !== version) problems.push(`package-lock.json has version ${lockVersion}, but the tag is ${tag}`);
  const [first] = sectionsOf(changelog);
  if (first === undefined) return [...problems, 'CHANGELOG.md has no "## [version] - date"'];
  if (first.version !== version) problems.push(`The first section of CHANGELOG.md is ${first.version}, not ${version}`);
  else if (!/^\d{4}-\d\d-\d\d$/.test(first.date)) {
    problems.push(`CHANGELOG.md says "${first.date}" for ${version}, instead of the release's date`);
  }
  if (first.text === '') problems.push(`CHANGELOG.md says nothing about ${first.version}`);
  const versions = sectionsOf(changelog).map((section) => section.version);
  if (versions.filter((other) => other === version).length > 1) problems.push(`CHANGELOG.md has ${version} twice`);
  return problems;
}

/** What the changelog says about a version, without its heading; null if it has no such version. */
export function releaseNotes(changelog: string, version: string): string | null {
  return sectionsOf(changelog).find((section) => section.version === version)?.text ?? null;
}

interface Section {
  version: string;
  date: string;
  text: string;
}

/** Newest first. Headings inside a code block do not count. */
function sectionsOf(changelog: string): Section[] {
  const sections: Section[] = [];
  let isCode = false;
  for (const line of changelog.split(/\r?\n/)) {
    if (/^(```|~~~)/.test(line)) isCode = !isCode;
    const [, version, date] = (isCode ? null : /^## \[?([^\]\s]+)\]?(?: - (.*))?$/.exec(line)) ?? [];
    const last = sections.at(-1);
    if (version !== undefined) sections.push({ version, date: date?.trim() ?? '', text: '' });
    else if (last !== undefined) last.text += `${line}\n`;
  }
  return sections.map(({ text, ...section }) => ({ ...section, text: text.trim() }));
}
