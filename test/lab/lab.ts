import { type Engine, startEngine } from './engine.ts';
import { type Images, prepareImages } from './images.ts';

/** What every host of the lab stands on. */
export interface Lab {
  engine: Engine;
  images: Images;
  /** Ends this process's use of it. */
  close(): Promise<void>;
}

/** Opens the lab; quick where somebody holds it open already. */
export async function openLab(): Promise<Lab> {
  const engine = await startEngine();
  try {
    const images = await prepareImages(engine);
    return { engine, images, close: () => engine.stop() };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}
