// The page's own reckoning, without a browser.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';

const PAGE = new URL('../../crates/server/page/', import.meta.url);
const as = (languages) => Object.defineProperty(globalThis, 'navigator', { value: { languages }, configurable: true });
as(['en']);
const { arrange, fit } = await import(new URL('layout.js', PAGE));
const { ownConnection } = await import(new URL('connection.js', PAGE));
const { Views } = await import(new URL('views.js', PAGE));
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

test('on every stage, in every view: nothing covers anything, nothing leaves the stage, only one’s own picture may float', () => {
  const people = Array.from({ length: 30 }, (_, n) => `${n}:camera`);
  for (const [width, height] of [[374, 700], [700, 330], [484, 1000], [1424, 820], [2500, 400]]) {
    for (const n of [0, 1, 2, 3, 5, 6, 9, 12, 30]) {
      for (const view of ['grid', 'speaker', 'share', 'two shares']) {
        for (const tucked of [false, true]) {
          const shares = view.includes('share') ? (view === 'share' ? ['s:screen'] : ['s:screen', 't:screen']) : [];
          const large = shares.length ? shares : view === 'speaker' ? people.slice(0, Math.min(1, n)) : [];
          const others = people.slice(0, n).filter((key) => !large.includes(key));
          const places = arrange(width, height, { large, shares: shares.length > 0, others, self: 'me', tucked });
          const what = `${n} in ${width}×${height}, ${view}${tucked ? ', tucked' : ''}`;
          assert.deepEqual([...places.keys()].sort(), [...large, ...others, 'me'].sort(), what);
          const all = [...places];
          for (const [key, p] of all) {
            assert.ok(p.x >= 0 && p.y >= 0 && p.x + p.width <= width && p.y + p.height <= height && p.width > 0 && p.height > 0, `${key} of ${what}: ${JSON.stringify(p)}`);
            if (!key.endsWith(':screen') && !(p.floats && tucked)) assert.ok(Math.abs(p.width / p.height - 16 / 9) < 0.06, `${key} of ${what} is 16:9: ${JSON.stringify(p)}`);
            if (p.floats) assert.equal(key, 'me', what);
          }
          const firm = all.filter(([, p]) => !p.floats);
          for (const [i, [a, p]] of firm.entries()) {
            for (const [b, q] of firm.slice(i + 1)) {
              const apart = p.x + p.width <= q.x || q.x + q.width <= p.x || p.y + p.height <= q.y || q.y + q.height <= p.y;
              assert.ok(apart, `${a} and ${b} of ${what}`);
            }
          }
        }
      }
    }
  }
});

test('what takes the stage is larger than whoever stands beside', () => {
  for (const [width, height] of [[374, 700], [1424, 820], [812, 330]]) {
    for (const n of [2, 5, 12]) {
      const others = Array.from({ length: n }, (_, i) => `${i}:camera`);
      const places = arrange(width, height, { large: ['s:screen'], shares: true, others, self: 'me' });
      for (const key of others) assert.ok(places.get('s:screen').height > places.get(key).height, `${n} in ${width}×${height}`);
    }
  }
});

test('a slot is asked for what must be seen, the others follow the conversation, and nothing is asked twice', () => {
  const views = new Views();
  const mids = ['4', '5', '6'];
  const shown = new Map([['4', { person: 1, source: 'camera' }], ['5', { person: 2, source: 'camera' }], ['6', { empty: 'nobody' }]]);
  const height = (key) => ({ '1:camera': 360, '2:camera': 90, '9:screen': 720 })[key] ?? 180;
  const ask = (wanted, h = height) => views.changes({ mids, shown, wanted, height: h });
  assert.deepEqual(ask([]), { 4: { want: 'auto', height: 360 }, 5: { want: 'auto', height: 90 }, 6: { want: 'auto', height: 180 } });
  assert.deepEqual(ask([]), {});
  // Where it is seen already.
  assert.deepEqual(ask(['2:camera']), { 5: { want: { person: 2, source: 'camera' }, height: 90 } });
  // What is seen nowhere takes the empty slot, and the one that was asked for stays.
  assert.deepEqual(ask(['2:camera', '9:screen']), { 6: { want: { person: 9, source: 'screen' }, height: 720 } });
  assert.deepEqual(ask(['9:screen']), { 5: { want: 'auto', height: 90 } });
  // Nobody looks: nothing comes.
  assert.deepEqual(Object.values(ask(['9:screen'], () => 0)).map((w) => w.height), [0, 0, 0]);
  views.forget();
  assert.equal(Object.keys(ask(['9:screen'])).length, 3);
  // More than there are slots is no error.
  assert.equal(Object.keys(ask(['9:screen', '1:camera', '2:camera', '7:camera'])).length, 2);
});

test('that a link is too slow is said where it keeps a picture small, not where little is sent', () => {
  const fine = { connected: true, rtt_ms: 20, unheard_ms: 5, loss_up: 0, loss_down: 0.001, budget: 90_000, narrow: false };
  assert.equal(ownConnection(fine), 'Your connection: 20 ms there and back.');
  assert.equal(ownConnection({ ...fine, budget: null }), 'Your connection: 20 ms there and back.');
  for (const budget of [90_000, 900_000]) assert.match(ownConnection({ ...fine, budget, narrow: true }), new RegExp(` It carries only ${budget / 1_000} kbit/s: pictures are small or pause\\.$`));
  assert.equal(ownConnection({ ...fine, connected: false, narrow: true }), 'Your connection: none yet.');
});

test('both languages have every sentence, and the page names none that is missing', async () => {
  const { has, t } = await import(new URL('words.js', PAGE));
  const { default: english } = await import(new URL('words-en.js', PAGE));
  const { default: words } = await import(new URL('words-fr.js', PAGE));
  const files = (await readdir(PAGE)).filter((name) => /\.(js|html)$/.test(name) && !name.startsWith('words-'));
  const source = (await Promise.all(files.map((name) => readFile(new URL(name, PAGE), 'utf8')))).join('\n');
  const keys = [...source.matchAll(/\bt\('([\w-]+)'|data-t(?:-label)?="([\w-]+)"|\.say\('([\w-]+)',/g)].map((m) => m[1] ?? m[2] ?? m[3]);
  assert.ok(keys.length > 50);
  assert.deepEqual(keys.filter((k) => !has(k)), []);
  assert.deepEqual(Object.keys(words).sort(), Object.keys(english).sort());
  // Each says the same: with the same blanks to fill in.
  const blanks = (text) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const key of Object.keys(english)) assert.deepEqual(blanks(words[key]), blanks(english[key]), key);
  as(['fr-CH', 'en']);
  const french = await import(`${new URL('words.js', PAGE)}?fr`);
  assert.equal(french.language, 'fr');
  assert.equal(french.t('join'), 'Entrer');
  assert.equal(t('unreachable', { host: '<b>', port: 1 }).includes('UDP port 1 of <b>'), true);
});
