#!/usr/bin/env node
import 'reflect-metadata';
import module from 'node:module';

// Compiling the imports takes half of the start-up time. Node 20 has no compile cache.
module.enableCompileCache?.();

// Otherwise the AWS SDK warns at every start that a future version will require a newer Node.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

// A dynamic import, so that it is cached as well: static imports load before the cache is enabled.
const { runCommand } = await import('./cli/program.js');
process.exit(await runCommand(process.argv.slice(2), process.env));
