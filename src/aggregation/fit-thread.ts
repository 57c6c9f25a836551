// Runs in a thread of `FitThreads`: answers each message with the fits of its points.
import { parentPort } from 'node:worker_threads';
import type { Points } from '../domain/forecast/points.js';
import { fitAsJson } from './known-fits.js';

parentPort?.on('message', (points: readonly Points[]) => parentPort?.postMessage(points.map(fitAsJson)));
