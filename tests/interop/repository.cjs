// SPDX-License-Identifier: Apache-2.0
// A TUF repository written by @tufjs/models: node repository.cjs DIR [plain]
//
// DIR/metadata and DIR/targets are to be served; DIR/root.json is what clients start from.
// Four roots, whose root role changes hands from Ed25519 over P-256 to RSA; targets by path
// patterns, hash prefixes, nested and terminating roles, a role whose name needs escapes, and
// succinct hash bins. `plain`: without consistent snapshots.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

const load = createRequire(path.join(process.env.INTEROP_MODULES, 'none.js'));
const models = load('@tufjs/models');
const { canonicalize } = load('@tufjs/canonical-json');

const [dir, form] = process.argv.slice(2);
const consistent = form !== 'plain';
const expires = new Date(Date.now() + 30 * 86400000).toISOString().replace(/\.\d+/, '');
const head = (version) => ({ version, specVersion: '1.0.31', expires });

const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');
const sha512 = (data) => crypto.createHash('sha512').update(data).digest('hex');

// A private key, its TUF key object, and a signer as the models want it.
function newKey(kind) {
  const pair = {
    ed25519: () => crypto.generateKeyPairSync('ed25519'),
    ecdsa: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    rsa: () => crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
  }[kind]();
  const der = pair.publicKey.export({ type: 'spki', format: 'der' });
  const pem = pair.publicKey.export({ type: 'spki', format: 'pem' });
  const scheme = { ed25519: 'ed25519', ecdsa: 'ecdsa-sha2-nistp256', rsa: 'rsassa-pss-sha256' };
  const object = {
    keytype: kind,
    scheme: scheme[kind],
    keyval: { public: kind === 'ed25519' ? der.subarray(-32).toString('hex') : pem },
  };
  const keyID = sha256(canonicalize(object));
  const how = {
    ed25519: (data) => crypto.sign(null, data, pair.privateKey),
    ecdsa: (data) => crypto.sign('sha256', data, pair.privateKey),
    rsa: (data) =>
      crypto.sign('sha256', data, {
        key: pair.privateKey,
        padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
        saltLength: 32,
      }),
  }[kind];
  const sign = (data) => new models.Signature({ keyID, sig: how(data).toString('hex') });
  return { key: models.Key.fromJSON(keyID, object), object, keyID, sign };
}

function write(name, version, signed, keys, versioned = consistent) {
  const document = new models.Metadata(signed);
  for (const key of keys) document.sign(key.sign, true);
  const bytes = Buffer.from(JSON.stringify(document.toJSON(), null, 1));
  const quoted = encodeURIComponent(name);
  // A static server undoes the escapes, so the file has the name itself.
  const file = decodeURIComponent(versioned ? `${version}.${quoted}` : quoted);
  fs.writeFileSync(path.join(dir, 'metadata', `${file}.json`), bytes);
  return bytes;
}

function target(name, content) {
  const { dir: folder, base } = path.posix.parse(name);
  fs.mkdirSync(path.join(dir, 'targets', folder), { recursive: true });
  const file = consistent ? `${sha256(content)}.${base}` : base;
  fs.writeFileSync(path.join(dir, 'targets', folder, file), content);
  return { length: content.length, hashes: { sha256: sha256(content), sha512: sha512(content) } };
}

function targets(version, files, delegations) {
  const listed = Object.fromEntries(files.map((f) => [f, target(f, Buffer.from(`file ${f}\n`))]));
  const body = { _type: 'targets', spec_version: '1.0.31', version, expires, targets: listed };
  if (delegations) body.delegations = delegations;
  return models.Targets.fromJSON(body);
}

function roots(keys) {
  const holders = [['ed25519'], ['ed25519', 'ecdsa'], ['ecdsa', 'rsa'], ['rsa']];
  const signers = { ed25519: newKey('ed25519'), ecdsa: newKey('ecdsa'), rsa: newKey('rsa') };
  holders.forEach((now, i) => {
    const root = new models.Root({ ...head(i + 1), consistentSnapshot: consistent });
    now.forEach((kind) => root.addKey(signers[kind].key, 'root'));
    if (now.length > 1) root.roles.root = new (root.roles.root.constructor)(
      { keyIDs: root.roles.root.keyIDs, threshold: 2 });
    for (const role of ['timestamp', 'snapshot', 'targets']) root.addKey(keys[role].key, role);
    const by = new Set([...now, ...(holders[i - 1] || [])]);
    const bytes = write('root', i + 1, root, [...by].map((kind) => signers[kind]), true);
    if (i === 0) fs.writeFileSync(path.join(dir, 'root.json'), bytes);
  });
}

function delegate(role, rule) {
  return { name: role.name, keyids: [role.keys.keyID], threshold: 1, terminating: false, ...rule };
}

function main() {
  for (const folder of ['metadata', 'targets'])
    fs.mkdirSync(path.join(dir, folder), { recursive: true });
  const kinds = { timestamp: 'ed25519', snapshot: 'rsa', targets: 'ecdsa' };
  const keys = Object.fromEntries(Object.entries(kinds).map(([r, kind]) => [r, newKey(kind)]));
  roots(keys);

  const role = (name, kind) => ({ name, keys: newKey(kind) });
  const first = role('first', 'ed25519');
  const second = role('Jörg #2?', 'ecdsa');
  const many = role('many', 'rsa');
  const bins = newKey('ed25519');
  const keyed = (...list) => Object.fromEntries(list.map((r) => [r.keys.keyID, r.keys.object]));
  const half = (bit) => [...'0123456789abcdef'].filter((c) => (parseInt(c, 16) < 8) === bit);
  const meta = {};
  const publish = (name, signed, by) => {
    const bytes = write(name, signed.version, signed, [by]);
    meta[`${name}.json`] = new models.MetaFile(
      { version: signed.version, length: bytes.length, hashes: { sha256: sha256(bytes) } });
  };
  publish('targets', targets(3, ['top.txt'], {
    keys: keyed(first, second, many),
    roles: [delegate(first, { paths: ['a/*', 'b/?.txt'] }),
      delegate(many, { paths: ['many/*'], terminating: true }),
      delegate(second, { path_hash_prefixes: half(true).concat(half(false)) })],
  }), keys.targets);
  publish('first', targets(2, ['a/1.txt', 'b/2.txt']), first.keys);
  publish(second.name, targets(7, ['elsewhere/3.txt']), second.keys);
  const names = [...Array(9).keys()].map((n) => `many/${n}.txt`);
  const binOf = (name) => `bin-${(parseInt(sha256(name).slice(0, 1), 16) >> 1).toString(16)}`;
  publish('many', targets(1, [], {
    keys: { [bins.keyID]: bins.object },
    succinct_roles: { keyids: [bins.keyID], threshold: 1, bit_length: 3, name_prefix: 'bin' },
  }), many.keys);
  for (let n = 0; n < 8; n++)
    publish(`bin-${n}`, targets(1, names.filter((f) => binOf(f) === `bin-${n}`)), bins);

  const snapshot = new models.Snapshot({ ...head(5), meta });
  const bytes = write('snapshot', 5, snapshot, [keys.snapshot]);
  const snapshotMeta = new models.MetaFile(
    { version: 5, length: bytes.length, hashes: { sha512: sha512(bytes) } });
  write('timestamp', 9, new models.Timestamp({ ...head(9), snapshotMeta }), [keys.timestamp],
    false);
}

main();
