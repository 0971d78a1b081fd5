import type { UnsetVariable } from '../survey/survey-compose.ts';

/** Describes a variable that is not set, and what to do about it. */
export function describeUnset(variable: UnsetVariable): { what: string; remedy: string } {
  const inItself = 'write "$$" for a literal "$"';
  if (variable.in === 'elsewhere') {
    return {
      what: 'a file that the compose file refers to uses a variable that is not set',
      remedy: `Set it in the env file, or ${inItself}`,
    };
  }
  const place = `${variable.file}, line ${variable.line}`;
  if (variable.in === 'env-file') {
    return {
      what: `${place}: ${variable.holder ?? 'a value'} contains a "$" that compose reads as a variable, which is not set`,
      remedy: `Put the value of ${variable.holder ?? 'that line'} in single quotes`,
    };
  }
  return variable.name === null
    ? {
        what: `${place}: compose reads the text after a "$" as a variable, which is not set`,
        remedy: `Set it in the env file, or ${inItself}`,
      }
    : { what: `${place}: the variable ${variable.name} is not set`, remedy: 'Set it in the env file' };
}
