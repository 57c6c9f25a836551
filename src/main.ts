#!/usr/bin/env node
import 'reflect-metadata';
import { exitOnStopSignal } from './cli/stop-signals.js';
import { cacheCompiledCode } from './config/compile-cache.js';

const args = process.argv.slice(2);
// First of all: a container may be stopped at any moment.
exitOnStopSignal([undefined, 'serve', 'demo'].includes(args[0]));
cacheCompiledCode();

// Otherwise the AWS SDK warns at every start that a future version will require a newer Node.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

// A dynamic import, so that it is cached as well: static imports load before the cache is enabled.
const { runCommand } = await import('./cli/program.js');
process.exit(await runCommand(args, process.env));
