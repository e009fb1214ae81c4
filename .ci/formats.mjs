// Reports in the formats that packages of npm know: `formats.mjs FILES`.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import * as core from "@actions/core";
import { Parser } from "tap-parser";

const folder = process.argv[2];
const reports = (suffix) => {
  const names = fs.readdirSync(folder).filter((name) => name.endsWith(suffix));
  assert(names.length > 0, `there are no reports ${suffix}`);
  return names.map((name) => [name, fs.readFileSync(path.join(folder, name), "utf8")]);
};

// Strict: a line that is none of TAP is an error.
for (const [name, text] of reports(".tap")) {
  const points = text.split("\n").filter((line) => /^(not )?ok /.test(line)).length;
  const parser = new Parser({ strict: true });
  let results;
  parser.on("complete", (complete) => (results = complete));
  parser.end(text);
  assert.equal(results.count, points, name);
  assert.deepEqual(results.failures.filter((failure) => failure.tapError), [], name);
}
console.log(`tap-parser reads ${reports(".tap").length} reports`);

// What the toolkit of GitHub writes for the same title and message is the same line.
const plain = (text) =>
  ["%2C", "%3A", "%0A", "%0D", "%25"].reduce((all, code) => all.replaceAll(code, decodeURIComponent(code)), text);
const issued = (command, { title, file, line }, message) => {
  const write = process.stdout.write;
  let out = "";
  process.stdout.write = (chunk) => ((out += chunk), true);
  core[command](message, { title, file, startLine: line });
  process.stdout.write = write;
  return out.trimEnd();
};
let count = 0;
for (const [name, text] of reports(".github")) {
  for (const line of text.split("\n").filter(Boolean)) {
    const [, command, head, message] = line.match(/^::(error|warning|notice) (.*?)::(.*)$/) ?? assert.fail(`${name}: ${line}`);
    const properties = Object.fromEntries(
      head.split(",").map((pair) => [pair.slice(0, pair.indexOf("=")), plain(pair.slice(pair.indexOf("=") + 1))]),
    );
    assert.equal(line, issued(command, properties, plain(message)), name);
    count += 1;
  }
}
console.log(`${count} annotations are as the toolkit of GitHub writes them`);
