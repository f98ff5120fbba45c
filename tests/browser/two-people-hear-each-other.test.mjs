// The first thing that a conference is for; and what the page says where it cannot be.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as lib from './lib/index.mjs';

test('two people hear each other', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const [ada, blaise] = await Promise.all([0, 1].map((n) => lib.openPerson(stage, n, { clip: null })));
  for (const tab of [ada, blaise]) await lib.joinRoom(tab, meet, 'hall', { video: 0 });
  for (const [tab, other] of [[ada, blaise], [blaise, ada]]) {
    await lib.waitFor(() => lib.hears(tab, lib.voiceOf(other.n)), {
      what: `${tab.n} to hear ${other.n}`,
      explain: async () => `${JSON.stringify(await lib.tones(tab))}\n${meet.log()}`,
    });
    assert.equal(await lib.hears(tab, lib.voiceOf(tab.n)), null, 'nobody hears themselves');
  }
});

test('where UDP does not pass, nobody hears anybody, and the page says so', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  // These browsers send no UDP at all, whoever asks for it.
  const args = ['--force-webrtc-ip-handling-policy=disable_non_proxied_udp', '--webrtc-ip-handling-policy=disable_non_proxied_udp'];
  const [ada, blaise] = await Promise.all([0, 1].map((n) => lib.openPerson(stage, n, { clip: null, args })));
  for (const tab of [ada, blaise]) {
    await tab.goto(meet.room('hall', { name: lib.nameOf(tab.n), join: 1, video: 0 }));
    await lib.waitFor(() => tab.evaluate(() => window.salon.joined), { what: `${tab.n}: the welcome`, explain: meet.log });
  }
  const since = await ada.evaluate(() => performance.now() - window.salon.marks.welcome);
  const began = performance.now() - since;
  const sentence = `UDP port ${meet.udp} of 127.0.0.1 is not reachable`;
  for (const tab of [ada, blaise]) {
    await lib.waitFor(() => tab.evaluate((s) => window.salon.banner?.includes(s), sentence), {
      what: `${tab.n}: “${sentence}”`,
      explain: () => lib.said(tab),
    });
    if (tab === ada) console.log(`said after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  for (const tab of [ada, blaise]) {
    assert.deepEqual(await lib.incoming(tab), {});
    assert.equal(await tab.evaluate(() => window.salon.pc.connectionState === 'connected'), false);
  }
});
