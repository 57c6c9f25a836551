import { type Happening, listen } from '../../src/config/happenings.js';

/** What is told while the work goes on, whether it succeeds or not. */
export async function heardDuring(work: () => Promise<unknown>): Promise<Happening[]> {
  const heard: Happening[] = [];
  const end = listen((happening) => heard.push(happening));
  try {
    await work().catch(() => undefined);
  } finally {
    end();
  }
  return heard;
}
