#!/usr/bin/env node
// Starts the command line: the TypeScript sources in a checkout, the built JavaScript in an installed package.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { dirname } from 'node:path';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  const checkout = existsSync(new URL('../package-lock.json', import.meta.url));
  const hint = checkout ? ' `npm ci` in the checkout brings the right one along.' : '';
  console.error(
    `sluice needs Node 22.18 or newer, this is Node ${process.versions.node} (${process.execPath}).${hint}`,
  );
  process.exit(1);
}
// Compiled modules are kept between starts (NODE_COMPILE_CACHE says where): a command starts in two thirds of the time.
nodeModule.enableCompileCache();
// Worker threads look here.
const cache = nodeModule.getCompileCacheDir();
if (cache !== undefined) process.env.NODE_COMPILE_CACHE ??= dirname(cache);
const source = new URL('../src/main.ts', import.meta.url);
const { main } = await import(
  existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href
);
await main(process.argv.slice(2));
