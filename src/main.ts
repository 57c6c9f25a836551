#!/usr/bin/env node
import 'reflect-metadata';
import module from 'node:module';

// Half of a start is compiling what it imports. Node 20 cannot keep what it compiled.
module.enableCompileCache?.();

// The AWS SDK says on every start that it will want a newer Node one day.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

// Imported only now, so that it is kept as well.
const { runCommand } = await import('./cli/program.js');
process.exit(await runCommand(process.argv.slice(2), process.env));
