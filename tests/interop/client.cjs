// SPDX-License-Identifier: Apache-2.0
// tuf-js behind the command line of the TUF conformance suite, as `bequest-client tuf` has it:
//
//   --metadata-dir DIR [--metadata-url URL] [--target-name PATH]... [--target-base-url URL]
//   [--target-dir DIR] init ROOT | refresh | download
//
// Modules are found in $INTEROP_MODULES. Exit status 0 or 1, the reason on standard error.
'use strict';
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');
const { parseArgs } = require('util');

const load = createRequire(path.join(process.env.INTEROP_MODULES, 'none.js'));
const { Updater } = load('tuf-js');

async function run() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'metadata-dir': { type: 'string' },
      'metadata-url': { type: 'string' },
      'target-name': { type: 'string', multiple: true, default: [] },
      'target-base-url': { type: 'string' },
      'target-dir': { type: 'string' },
    },
  });
  const [verb, root] = positionals;
  const metadataDir = values['metadata-dir'];
  if (verb === 'init') {
    fs.mkdirSync(metadataDir, { recursive: true });
    fs.copyFileSync(root, path.join(metadataDir, 'root.json'));
    return;
  }
  const updater = new Updater({
    metadataDir,
    metadataBaseUrl: values['metadata-url'],
    targetDir: values['target-dir'],
    targetBaseUrl: values['target-base-url'],
    config: { fetchTimeout: 20000, fetchRetries: 0, fetchRetry: 0 },
  });
  await updater.refresh();
  for (const name of verb === 'download' ? values['target-name'] : []) {
    fs.mkdirSync(values['target-dir'], { recursive: true });
    const info = await updater.getTargetInfo(name);
    if (!info) throw new Error(`${name}: no such target`);
    if (!(await updater.findCachedTarget(info))) await updater.downloadTarget(info);
  }
}

run().catch((e) => {
  process.stderr.write(`tuf-js: ${e.message}\n`);
  process.exitCode = 1;
});
