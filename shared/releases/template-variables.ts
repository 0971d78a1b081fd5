// The variables in values of a compose file, as `docker compose config --no-interpolate` leaves them.

/** A use of a variable: `$TAG`, `${TAG}`, `${TAG:-latest}`, `${TAG:?give one}`. */
export interface VariableUse {
  name: string;
  /** The text as it is written. */
  text: string;
}

/** Two dollars stand for one; a name in braces may go on with an operator, whose text may hold braces in turn. */
const use = /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)((?::?[-?+])(?:[^{}]|\{[^{}]*\})*)?\})/g;

/** Every use of a variable in a value, in order. */
export function variablesIn(template: string): VariableUse[] {
  return [...template.matchAll(use)].flatMap(([text, dollar, bare, braced]) => {
    const name = bare ?? braced;
    return dollar !== undefined || name === undefined ? [] : [{ name, text }];
  });
}

/** Compose writes each dollar twice, so that its own output can be read again. */
export function plain(value: string): string {
  return value.replaceAll('$$', '$');
}

/** What compose makes of a value if none of its variables is set. A default that holds a variable in turn is left as it is. */
export function valueIfUnset(template: string): string {
  return template.replace(use, (_text, dollar: string | undefined, _bare, _braced, operator: string | undefined) =>
    dollar === undefined ? (/^:?-(.*)$/s.exec(operator ?? '')?.[1] ?? '') : '$',
  );
}

/** The entries of a map of the compose file, which may be written as a list as well: `NAME=value`, or `NAME` alone. */
export function entriesOf(section: unknown): Record<string, string | null> {
  if (Array.isArray(section)) {
    return Object.fromEntries(
      section.map(String).map((each): [string, string | null] => {
        const at = each.indexOf('=');
        return at < 0 ? [each, null] : [each.slice(0, at), each.slice(at + 1)];
      }),
    );
  }
  if (typeof section !== 'object' || section === null) return {};
  return Object.fromEntries(
    Object.entries(section).map(([name, value]) => [
      name,
      value === null || value === undefined ? null : String(value),
    ]),
  );
}

/** The name if the whole value is one variable, so that it clearly is meant as one; else null. */
export function wholeVariable(template: string): string | null {
  const [first] = variablesIn(template);
  return first !== undefined && first.text === template && first.text.startsWith('${') ? first.name : null;
}

/** What the parts of an image reference may consist of. */
const referencePart = '([\\w./:-]*?)';

/**
 * The values that the variables of an image template must have had, as the reference shows that came of it; null if the
 * reference cannot come from the template.
 */
export function valuesBehind(template: string, reference: string): Map<string, string> | null {
  const uses = variablesIn(template);
  let pattern = '';
  let at = 0;
  const groups: string[] = [];
  for (const { name, text } of uses) {
    const start = template.indexOf(text, at);
    pattern += escaped(template.slice(at, start));
    const known = groups.indexOf(name);
    pattern += known < 0 ? referencePart : `\\${known + 1}`;
    if (known < 0) groups.push(name);
    at = start + text.length;
  }
  const match = new RegExp(`^${pattern}${escaped(template.slice(at))}$`).exec(reference);
  return match === null ? null : new Map(groups.map((name, index) => [name, match[index + 1] ?? '']));
}

function escaped(text: string): string {
  return text.replaceAll('$$', '$').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
