// One camera at 1280×720 sends three encodings; each viewer gets the one that its tile asks for.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as lib from './lib/index.mjs';

const HEIGHTS = { l: 180, m: 360, h: 720 };

test('Chromium and Firefox get the encoding of their tile, and another after a resize', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const publisher = await lib.openPerson(stage, 0, { clip: { width: 1280, height: 720, rate: 10, frames: 10, busy: 0.02 } });
  await lib.joinRoom(publisher, meet, 'hall', { height: 720, rate: 10 });
  const viewers = [];
  for (const [n, browser] of [[1, 'chromium'], [2, 'firefox']]) {
    const tab = await lib.openPerson(stage, n, { browser, clip: null, tone: null, viewport: { width: 360, height: 640 } });
    viewers.push(await lib.joinRoom(tab, meet, 'hall', { audio: 0, video: 0 }));
  }
  const id = await lib.idOf(publisher);
  const explain = async () => `${JSON.stringify(await lib.outgoing(publisher))}\n${JSON.stringify((await meet.api('/api/rooms/hall')).participants.map((p) => [p.name, p.budget, p.tracks, p.slots.filter((s) => s.person)]))}`;
  const height = async (tab) => (await lib.incoming(tab))[(await lib.shown(tab))[`${id}:camera`]]?.height;

  async function gets(tab, rid) {
    const began = performance.now();
    await lib.waitFor(async () => (await height(tab)) === HEIGHTS[rid], { what: `${tab.browser} to get ${HEIGHTS[rid]} lines`, guard: 90_000, explain });
    const tile = await tab.evaluate((id) => document.querySelector(`[data-key="${id}:camera"]`).clientHeight, id);
    console.log(`${tab.browser}: a tile of ${tile} lines gets ${HEIGHTS[rid]} (${rid}) after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  for (const tab of viewers) await gets(tab, 'l');
  const rids = (await lib.outgoing(publisher)).filter((s) => s.kind === 'video').map((s) => s.rid).sort();
  assert.deepEqual(rids, ['h', 'l', 'm']);

  // Two people in a window: each tile has about half of its height or width.
  const [chromium, firefox] = viewers;
  await chromium.resize(1300, 900);
  await gets(chromium, 'm');
  assert.equal(await height(firefox), HEIGHTS.l, 'the other goes on as it was');
  await firefox.resize(1300, 900);
  await gets(firefox, 'm');
  await chromium.resize(2600, 1500);
  await gets(chromium, 'h');
  for (const tab of viewers) await tab.resize(360, 640);
  for (const tab of viewers) await gets(tab, 'l');
  // What nobody watches is not encoded.
  const sent = async () => Object.fromEntries((await lib.outgoing(publisher)).filter((s) => s.rid).map((s) => [s.rid, s.frames]));
  await lib.waitFor(async () => (await lib.outgoing(publisher)).every((s) => !['m', 'h'].includes(s.rid) || !s.active), { what: 'unwatched encodings to end', explain });
  const before = await sent();
  await lib.rest(2_000);
  const after = await sent();
  assert.deepEqual([after.m, after.h], [before.m, before.h]);
  assert.ok(after.l > before.l);
});
