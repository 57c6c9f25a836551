import { open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { parse } from 'yaml';
import { inSlices } from '../config/event-loop.js';
import { withoutByteOrderMark } from '../domain/bytes.js';
import { OPENING_BRACE, OPENING_BRACKET, skipSpaces } from '../domain/json-bytes.js';
import { parseJsonSteps } from '../domain/json-steps.js';

const MIB = 2 ** 20;
export const MAX_FILE_BYTES = 64 * MIB;
/** Parsing YAML takes about 1 s and 100 MB per MiB. */
export const MAX_YAML_BYTES = 4 * MIB;
/** Longer texts are parsed in a thread, UTF-16 units. */
const YAML_AT_ONCE = 32 * 1024;
const YAML_MEMORY_MB = 1_024;

/**
 * Reads a JSON or YAML file.
 * @throws if it cannot be read or parsed, or is too large
 */
export async function readDataFile(file: string): Promise<unknown> {
  const bytes = await readBytes(file);
  const first = bytes[skipSpaces(bytes, 0)];
  if (first === OPENING_BRACE || first === OPENING_BRACKET) {
    try {
      return await inSlices(parseJsonSteps(bytes));
    } catch (error) {
      // It may be YAML that begins with a bracket.
      if (bytes.length > MAX_YAML_BYTES) throw error;
    }
  }
  if (bytes.length > MAX_YAML_BYTES) {
    throw new RangeError(`a YAML file may have ${MAX_YAML_BYTES / MIB} MiB; write a larger catalog as JSON`);
  }
  const text = bytes.toString();
  return text.length > YAML_AT_ONCE ? parseYamlInThread(text) : parse(text);
}

async function readBytes(file: string): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    if (size > MAX_FILE_BYTES) {
      throw new RangeError(`it has ${Math.ceil(size / MIB)} MiB; at most ${MAX_FILE_BYTES / MIB} are read`);
    }
    return withoutByteOrderMark(await handle.readFile());
  } finally {
    await handle.close();
  }
}

const YAML_THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
try {
  parentPort.postMessage({ value: require(workerData.library).parse(workerData.text) });
} catch (error) {
  parentPort.postMessage({ problem: String(error.message) });
}`;

/** The text of the thread is in this module, so that it runs from any build. */
function parseYamlInThread(text: string): Promise<unknown> {
  const library = createRequire(import.meta.url).resolve('yaml');
  const worker = new Worker(YAML_THREAD, {
    eval: true,
    workerData: { library, text },
    resourceLimits: { maxOldGenerationSizeMb: YAML_MEMORY_MB },
  });
  const result = new Promise<unknown>((resolve, reject) => {
    worker.once('message', ({ value, problem }: { value?: unknown; problem?: string }) =>
      problem === undefined ? resolve(value) : reject(new SyntaxError(problem)),
    );
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the YAML parser ended without a result')));
  });
  return result.finally(() => worker.terminate());
}
