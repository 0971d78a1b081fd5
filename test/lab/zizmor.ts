import { pythonProgram } from './python-program.ts';

/** zizmor, which finds weaknesses in workflows. @returns its path */
export function zizmor(): Promise<string> {
  return pythonProgram({
    name: 'zizmor',
    package: 'zizmor',
    version: '1.32.0',
    sha256: '84a6acb975accc13408786a2bd274b572537ca19c933ebbc13e78f3988562071',
  });
}
