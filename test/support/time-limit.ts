import { jest } from '@jest/globals';

declare const TIME_LIMIT_MS: number;

// Runs before each test file, with the time limit of its project in jest.config.js.
jest.setTimeout(TIME_LIMIT_MS);
