import { type Lab, openLab } from './lab.ts';

// For `node --test --test-global-setup`: the lab is made ready once, and stays open for as long as tests run. Each test
// file opens it by itself too, which is quick then, and so works alone as well.
let lab: Lab | undefined;

export async function globalSetup(): Promise<void> {
  lab = await openLab();
}

export async function globalTeardown(): Promise<void> {
  await lab?.close();
}
