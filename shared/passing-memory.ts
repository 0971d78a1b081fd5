// Bytes that flow through the runner leave a buffer behind with each piece. Node frees them when its young objects are collected,
// which are small and few: until then, a fast stream has left a hundred MiB. To collect them earlier is quick, and needs less time
// altogether, since the same memory is used again. A piece that waits during two collections counts as old, and stays until the old
// objects are collected as well, which takes longer.

/** How many bytes may pass before what they left is freed. */
const mostPassed = 4 * 2 ** 20;
/** Each time the old objects are collected as well. */
const everyOld = 32;

let passed = 0;
let times = 0;
let collect: ((type: 'minor' | 'major') => void) | null = null;

/** Call it for each piece that has passed. */
export function tellPassed(bytes: number): void {
  passed += bytes;
  if (passed < mostPassed) return;
  passed = 0;
  times += 1;
  collect ??= collector();
  collect(times % everyOld === 0 ? 'major' : 'minor');
}

function collector(): (type: 'minor' | 'major') => void {
  try {
    // Only a run that moves many bytes needs these, so they are no part of every start.
    process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
    const gc: (options: { type: 'minor' | 'major' }) => void = process
      .getBuiltinModule('node:vm')
      .runInNewContext('gc');
    return (type) => gc({ type });
  } catch {
    // Without it everything works, in more memory.
    return () => {};
  }
}
