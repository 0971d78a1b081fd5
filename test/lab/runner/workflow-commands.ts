/** What the runner would do because of a line in a step's log. */
export interface WorkflowCommand {
  name: string;
  properties: Readonly<Record<string, string>>;
  message: string;
}

/** The commands that the runner knows; whatever else looks like one is plain text to it. */
const known = new Set([
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'internal-set-repo-path',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning',
]);

/** The lines of a stream as the runner reads them: a bare carriage return ends one too. */
export function linesOf(stream: string): string[] {
  return stream.split(/\r\n|\n|\r/);
}

/** The commands in one stream of a step, as the runner's ActionCommandManager finds them. */
export function commandsIn(stream: string): WorkflowCommand[] {
  const found: WorkflowCommand[] = [];
  let stopped: string | undefined;
  for (const line of linesOf(stream)) {
    if (stopped !== undefined) {
      if (line.trim() === `::${stopped}::`) stopped = undefined;
      continue;
    }
    const command = commandIn(line);
    if (command === undefined) continue;
    found.push(command);
    if (command.name === 'stop-commands') stopped = command.message;
  }
  return found;
}

/** The command of a line: `::name key=value,…::message` at its start, or `##[name key=value;…]message` anywhere. */
function commandIn(line: string): WorkflowCommand | undefined {
  return currentCommandIn(line.trimStart()) ?? formerCommandIn(line);
}

function currentCommandIn(line: string): WorkflowCommand | undefined {
  const end = line.indexOf('::', 2);
  if (!line.startsWith('::') || end < 0) return undefined;
  return toCommand(line.slice(2, end), line.slice(end + 2), ',');
}

function formerCommandIn(line: string): WorkflowCommand | undefined {
  const start = line.indexOf('##[');
  const end = line.indexOf(']', start);
  if (start < 0 || end < 0) return undefined;
  return toCommand(line.slice(start + 3, end), line.slice(end + 1), ';');
}

function toCommand(head: string, message: string, separator: string): WorkflowCommand | undefined {
  const [name = '', ...rest] = head.split(' ');
  if (!known.has(name.toLowerCase())) return undefined;
  const properties = rest
    .join(' ')
    .split(separator)
    .map((pair) => /^\s*([^=]+)=(.*)$/s.exec(pair))
    .flatMap((pair) => (pair ? [[pair[1], unescapedProperty(pair[2] ?? '')]] : []));
  return { name: name.toLowerCase(), properties: Object.fromEntries(properties), message: unescaped(message) };
}

function unescapedProperty(text: string): string {
  const punctuation: Record<string, string> = { '%3A': ':', '%2C': ',', '%3B': ';', '%5D': ']' };
  return unescaped(text.replace(/%3A|%2C|%3B|%5D/g, (code) => punctuation[code] ?? code));
}

/** %25 comes last: else `%250A` would become a newline. */
function unescaped(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}
