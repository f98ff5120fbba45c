// Three Chromium and one Firefox in a room, small pictures.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as lib from './lib/index.mjs';

test('three Chromium and one Firefox decode each other for twenty seconds and hear each other', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const tabs = await Promise.all([0, 1, 2, 3].map((n) => lib.openPerson(stage, n, { browser: n === 3 ? 'firefox' : 'chromium' })));
  for (const tab of tabs) await lib.joinRoom(tab, meet, 'hall');
  const explain = async () => JSON.stringify(await meet.api('/api/rooms/hall')).slice(0, 6_000);
  const ids = await Promise.all(tabs.map(lib.idOf));

  // Whose picture grows where: by person, since slots may change hands.
  const pairs = tabs.flatMap((tab) => tabs.filter((other) => other !== tab).map((other) => [tab, other]));
  const frames = new Map(pairs.map(([a, b]) => [`${a.n}<${b.n}`, 0]));
  const last = new Map();
  const look = async () => {
    for (const tab of tabs) {
      const [decoded, shown] = [await lib.framesDecoded(tab), await lib.shown(tab)];
      for (const other of tabs) {
        const now = decoded[shown[`${ids[other.n]}:camera`]];
        if (tab === other || now === undefined) continue;
        const key = `${tab.n}<${other.n}`;
        const mid = `${tab.n}/${shown[`${ids[other.n]}:camera`]}`;
        frames.set(key, frames.get(key) + Math.max(0, now - (last.get(mid) ?? now)));
        last.set(mid, now);
      }
    }
  };
  const all = (least) => [...frames.values()].every((n) => n >= least);
  await lib.waitFor(async () => (await look(), all(1)), { what: 'all twelve pictures', guard: 60_000, explain });
  for (const key of frames.keys()) frames.set(key, 0);
  // Twenty seconds, in which each grows; a machine that is busy with other things gets more time, not fewer pictures.
  const quarters = [];
  for (let n = 0; n < 4; n++) {
    const before = new Map(frames);
    const end = performance.now() + 5_000;
    await lib.waitFor(async () => (await look(), performance.now() >= end && [...frames].every(([k, v]) => v > before.get(k))), {
      what: `all twelve pictures to go on, ${n}`,
      guard: 60_000,
      every: 500,
      explain: async () => `${JSON.stringify([...frames])}\n${await explain()}`,
    });
    quarters.push(Math.min(...[...frames].map(([k, v]) => v - before.get(k))));
  }
  console.log(`frames of 12 pairs: ${[...frames].map(([k, v]) => `${k} ${v}`).join(', ')}; least in a quarter: ${quarters.join(', ')}`);
  assert.ok(all(4));

  for (const [tab, other] of pairs) {
    await lib.waitFor(() => lib.hears(tab, lib.voiceOf(other.n)), {
      what: `${tab.n} to hear ${other.n}`,
      explain: async () => JSON.stringify(await lib.tones(tab)),
    });
  }
  // Without transport-wide feedback in the answers each of them says by REMB what it could take.
  const { participants } = await lib.waitFor(async () => {
    const room = await meet.api('/api/rooms/hall');
    return room.participants.every((p) => p.estimate > 0) && room;
  }, { what: 'an estimate of each', explain });
  console.log(`estimates, kbit/s: ${participants.map((p) => `${p.name} ${Math.round(p.estimate / 1000)} (budget ${p.budget ?? 'free'})`).join(', ')}`);

  // And each picture is who it says.
  for (const tab of tabs) {
    const [seen, shown] = [await lib.colours(tab), await lib.shown(tab)];
    for (const other of tabs.filter((o) => o !== tab && o.browser === 'chromium')) {
      const colour = seen[shown[`${ids[other.n]}:camera`]];
      if (colour) assert.ok(lib.hueDistance(colour, lib.colourOf(other.n)) < 0.3, `${tab.n} sees ${colour} where ${other.n} is said to be`);
    }
  }
  for (const tab of tabs) assert.deepEqual(tab.errors, []);
});
