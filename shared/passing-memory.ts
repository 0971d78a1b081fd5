// Bytes that flow through the runner leave a buffer behind with each piece. Node frees them when its young objects are collected,
// which are small and few: until then, a fast stream has left a hundred MiB. To collect them earlier is quick, and needs less time
// altogether, since the same memory is used again.

/** How many bytes may pass before what they left is freed. */
const mostPassed = 4 * 2 ** 20;

let passed = 0;
let collect: (() => void) | null = null;

/** Call it for each piece that has passed. */
export function tellPassed(bytes: number): void {
  passed += bytes;
  if (passed < mostPassed) return;
  passed = 0;
  collect ??= collector();
  collect();
}

function collector(): () => void {
  try {
    // Only a run that moves many bytes needs these, so they are no part of every start.
    process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
    const gc: (options: { type: 'minor' }) => void = process.getBuiltinModule('node:vm').runInNewContext('gc');
    return () => gc({ type: 'minor' });
  } catch {
    // Without it everything works, in more memory.
    return () => {};
  }
}
