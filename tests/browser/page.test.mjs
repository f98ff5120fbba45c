// The page's own reckoning, without a browser.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PAGE = new URL('../../crates/server/page/', import.meta.url);
const as = (languages) => Object.defineProperty(globalThis, 'navigator', { value: { languages }, configurable: true });
as(['en']);
const { fit } = await import(new URL('tiles.js', PAGE));
const { encodingsFor, refit } = await import(new URL('call.js', PAGE));

test('tiles fit into their stage, all of them, as large as they can be', () => {
  for (let n = 1; n <= 49; n++) {
    for (const [width, height] of [[320, 568], [568, 320], [960, 540], [1920, 1080], [2560, 400], [300, 1200]]) {
      const { columns, tile } = fit(n, width, height);
      const rows = Math.ceil(n / columns);
      const used = (c, w) => [c * w + (c - 1) * 8, Math.ceil(n / c) * (w * 9) / 16 + (Math.ceil(n / c) - 1) * 8];
      const inside = ([w, h]) => w <= width + 1e-6 && h <= height + 1e-6;
      assert.ok(tile > 0 && rows >= 1 && inside(used(columns, tile)), `${n} in ${width}×${height}`);
      for (let c = 1; c <= n; c++) assert.ok(!inside(used(c, tile + 1)), `${n} in ${width}×${height} could be larger with ${c} columns`);
    }
  }
});

test('a stage without room has tiles of no size, not of less', () => {
  assert.ok(fit(9, 0, 0).tile >= 0);
});

test('a camera’s encodings rise, and the last is the whole picture', () => {
  for (const height of [90, 180, 240, 360, 480, 540, 720, 1080]) {
    const all = encodingsFor(height);
    assert.equal(all.at(-1).scaleResolutionDownBy ?? 1, 1);
    for (const [a, b] of all.slice(1).map((b, i) => [all[i], b])) assert.ok(a.maxBitrate < b.maxBitrate && a.scaleResolutionDownBy > b.scaleResolutionDownBy);
    assert.ok(all.length === 1 || all.every((e) => height / e.scaleResolutionDownBy >= 135), 'none is too small to be looked at');
  }
});

test('another camera keeps the encodings that were negotiated, and uses those that fit', () => {
  const rids = ['l', 'm', 'h'];
  assert.deepEqual(refit(rids, 720).map((e) => [e.useful, e.scaleResolutionDownBy]), [[true, 4], [true, 2], [true, 1]]);
  assert.deepEqual(refit(rids, 360).map((e) => [e.useful, e.scaleResolutionDownBy]), [[true, 2], [true, 1], [false, undefined]]);
  assert.deepEqual(refit(rids, 180).map((e) => e.useful), [true, false, false]);
  assert.deepEqual(refit(['l', 'h'], 1080).map((e) => e.scaleResolutionDownBy), [2, 1]);
  assert.ok(refit(rids, 360).every((e) => !('rid' in e)), 'a rid cannot be changed');
});

test('both languages have every sentence, and the page names none that is missing', async () => {
  const read = (name) => readFile(fileURLToPath(new URL(name, PAGE)), 'utf8');
  const { has, t } = await import(new URL('words.js', PAGE));
  const source = (await Promise.all(['index.html', 'main.js', 'controls.js', 'chat.js', 'moderation.js', 'room.js', 'tiles.js', 'call.js'].map(read))).join('\n');
  const keys = [...source.matchAll(/\bt\('([\w-]+)'|data-t(?:-label)?="([\w-]+)"/g)].map((m) => m[1] ?? m[2]);
  assert.ok(keys.length > 20);
  assert.deepEqual(keys.filter((k) => !has(k)), []);
  as(['fr-CH', 'en']);
  const french = await import(`${new URL('words.js', PAGE)}?fr`);
  assert.equal(french.language, 'fr');
  const same = (await read('words.js')).matchAll(/^ {4}'?([\w-]+)'?:/gm);
  for (const [, key] of same) assert.ok(french.t(key) !== key && t(key) !== key, key);
  assert.equal(t('unreachable', { host: '<b>', port: 1 }).includes('UDP port 1 of <b>'), true);
});
