#!/usr/bin/env node
// Starts the binary of this platform, and ends as it does.
'use strict';

const { spawn } = require('node:child_process');
const { existsSync, readdirSync } = require('node:fs');
const { join } = require('node:path');

const place = `${process.platform}-${process.arch}`;
const name = process.platform === 'win32' ? 'mcp-conform.exe' : 'mcp-conform';
const binary = join(__dirname, place, name);

if (!existsSync(binary)) {
  const folders = readdirSync(__dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const there = folders.map((entry) => entry.name).join(', ');
  console.error(`error: this package carries no mcp-conform for ${place}, only for ${there}`);
  process.exit(4);
}

const child = spawn(binary, process.argv.slice(2), { stdio: 'inherit' });
// It stops its servers when it is told to end; until then this process has to wait for it.
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
for (const signal of signals) process.on(signal, () => child.kill(signal));

child.on('error', (error) => {
  console.error(`error: cannot start ${binary}: ${error.message}`);
  process.exitCode = 4;
});
child.on('exit', (status, signal) => {
  for (const each of signals) process.removeAllListeners(each);
  if (signal) process.kill(process.pid, signal);
  else process.exitCode = status;
});
