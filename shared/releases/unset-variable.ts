import type { UnsetVariable } from '../host/survey.ts';

/** Tells of a variable that compose misses, and what to do about it. */
export function tellUnset(variable: UnsetVariable): { what: string; remedy: string } {
  const inItself = 'a "$" that stands for itself is written "$$"';
  if (variable.in === 'elsewhere') {
    return {
      what: 'a file that the compose file refers to uses a variable that is not set',
      remedy: `Set it in the env file; ${inItself}`,
    };
  }
  const place = `${variable.file}, line ${variable.line}`;
  if (variable.in === 'env-file') {
    return {
      what: `${place}: ${variable.holder ?? 'a value'} holds a "$" that compose takes for a variable, which is not set`,
      remedy: `Put the value of ${variable.holder ?? 'that line'} in single quotes`,
    };
  }
  return variable.name === null
    ? {
        what: `${place}: compose reads the text after a "$" as a variable, and that variable is not set`,
        remedy: `Set it in the env file; ${inItself}`,
      }
    : { what: `${place}: the variable ${variable.name} is not set`, remedy: 'Set it in the env file' };
}
