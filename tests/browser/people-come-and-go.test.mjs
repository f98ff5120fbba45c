// Coming late, being cut off, coming back, saying nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as lib from './lib/index.mjs';

const names = async (meet) => (await meet.api('/api/rooms/hall')).participants.map((p) => p.name).sort();
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

/** Milliseconds from the page's click on *join* to its first decoded frame of somebody else, measured in the page. */
const firstFrame = (tab) =>
  lib.waitFor(
    () =>
      tab.evaluate(async () => {
        for (const s of (await window.salon.pc.getStats()).values()) {
          if (s.type === 'inbound-rtp' && s.kind === 'video' && s.framesDecoded > 0) return performance.now() - window.salon.marks.click;
        }
        return null;
      }),
    { what: 'the first frame', every: 10 },
  );

test('who comes late sees at once, who is killed makes room, who reloads leaves no ghost', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const [ada, blaise, chloé] = await Promise.all([0, 1, 2].map((n) => lib.openPerson(stage, n)));
  await lib.joinRoom(ada, meet, 'hall');
  await lib.rest(2_000); // so that Ada's first key frame is long gone
  await lib.joinRoom(blaise, meet, 'hall');
  const late = await firstFrame(blaise);
  console.log(`late: first picture ${seconds(late)} after the click`);
  assert.ok(late < 10_000, 'a guard, ten times the goal');

  // Blaise reloads: one of him, and Ada hears and sees the new one.
  const before = await lib.idOf(blaise);
  await blaise.reload();
  await lib.inRoom(blaise);
  assert.notEqual(await lib.idOf(blaise), before);
  assert.deepEqual(await names(meet), ['Ada', 'Blaise']);
  assert.deepEqual((await ada.evaluate(() => window.salon.people.map((p) => p.name))).sort(), ['Ada', 'Blaise']);
  const again = `${await lib.idOf(blaise)}:camera`;
  await lib.waitFor(async () => (await lib.shown(ada))[again], { what: 'Ada to see Blaise again' });
  await lib.waitFor(() => lib.hears(ada, lib.voiceOf(1)), { what: 'Ada to hear Blaise again' });

  // Chloé's machine dies.
  await lib.joinRoom(chloé, meet, 'hall');
  const id = await lib.idOf(chloé);
  const hasHer = async () => Object.keys(await lib.shown(ada)).filter((k) => k.startsWith(`${id}:`)).length;
  await lib.waitFor(async () => (await hasHer()) === 2, { what: 'Ada to have Chloé in two slots' });
  const killed = performance.now();
  await chloé.kill();
  await lib.waitFor(async () => (await hasHer()) === 0, { what: 'her slots to be free', guard: 60_000 });
  console.log(`killed: slots free after ${seconds(performance.now() - killed)}`);
  await lib.waitFor(async () => (await names(meet)).length === 2, { what: 'her to be gone', guard: 90_000 });
  for (const tab of [ada, blaise]) assert.deepEqual(tab.errors, []);
});

test('whose plug is pulled makes room too, though no connection ends', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const [ada, blaise] = await Promise.all([0, 1].map((n) => lib.openPerson(stage, n, { clip: null })));
  for (const tab of [ada, blaise]) await lib.joinRoom(tab, meet, 'hall', { video: 0 });
  const id = await lib.idOf(blaise);
  await lib.waitFor(async () => (await lib.shown(ada))[`${id}:microphone`], { what: 'Ada to have Blaise in a slot' });
  // All of its processes stand still; the kernel keeps its connections.
  process.kill(-blaise.pid, 'SIGSTOP');
  stage.onClear(() => process.kill(-blaise.pid, 'SIGKILL'));
  const began = performance.now();
  await lib.waitFor(async () => !(await lib.shown(ada))[`${id}:microphone`], { what: 'his slot to be free', guard: 50_000 });
  console.log(`frozen: slot free after ${seconds(performance.now() - began)}`);
  await lib.waitFor(async () => (await names(meet)).length === 1, { what: 'him to be gone', guard: 150_000 });
  console.log(`frozen: gone after ${seconds(performance.now() - began)}`);
});

test('a muted microphone sends nothing, and is heard again when it is on', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const ada = await lib.openPerson(stage, 0, { clip: null });
  const blaise = await lib.openPerson(stage, 1, { browser: 'firefox' });
  for (const tab of [ada, blaise]) await lib.joinRoom(tab, meet, 'hall', { video: 0 });
  for (const [tab, other] of [[ada, blaise], [blaise, ada]]) await lib.waitFor(() => lib.hears(tab, lib.voiceOf(other.n)), { what: 'both to hear' });
  for (const tab of [ada, blaise]) await tab.click('#b-mic');
  const received = async () => {
    const { participants } = await meet.api('/api/rooms/hall');
    return participants.map((p) => p.tracks.find((x) => x.source === 'microphone').encodings.reduce((sum, e) => sum + e.received, 0));
  };
  const sent = async () => Promise.all([ada, blaise].map(async (tab) => (await lib.outgoing(tab)).filter((s) => s.kind === 'audio').reduce((sum, s) => sum + s.packets, 0)));
  await lib.rest(1_000);
  const [atServer, atPages] = [await received(), await sent()];
  await lib.rest(10_000);
  assert.deepEqual(await received(), atServer, 'nothing arrives in ten seconds');
  const after = await sent();
  // Without a track Firefox has no statistics of it.
  assert.ok(after.every((n, i) => n === atPages[i] || n === 0), `${atPages} ${after}`);
  assert.ok((await ada.evaluate(() => window.salon.people)).every((p) => p.muted.includes('microphone')));
  for (const tab of [ada, blaise]) await tab.click('#b-mic');
  for (const [tab, other] of [[ada, blaise], [blaise, ada]]) await lib.waitFor(() => lib.hears(tab, lib.voiceOf(other.n)), { what: `${tab.n} to hear ${other.n} again` });
});

test('sound only: no picture comes and none is sent', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const [ada, blaise] = await Promise.all([0, 1].map((n) => lib.openPerson(stage, n)));
  for (const tab of [ada, blaise]) await lib.joinRoom(tab, meet, 'hall');
  const frames = async (tab) => Object.values(await lib.framesDecoded(tab)).reduce((a, b) => a + b, 0);
  for (const tab of [ada, blaise]) await lib.waitFor(() => frames(tab), { what: 'a picture' });
  await ada.click('#b-audio-only');
  const quiet = async () => {
    const count = async () => JSON.stringify([await frames(ada), await frames(blaise), (await lib.outgoing(ada)).filter((s) => s.kind === 'video').map((s) => s.packets)]);
    const first = await count();
    await lib.rest(2_000);
    return first === (await count());
  };
  await lib.waitFor(quiet, { what: 'all pictures to end' });
  assert.equal(await ada.evaluate(() => document.querySelector('.tile.mirror video')), null, 'the camera is off');
  await lib.waitFor(() => lib.hears(ada, lib.voiceOf(1)), { what: 'sound to go on' });
  const before = [await frames(ada), await frames(blaise)];
  await ada.click('#b-audio-only');
  await lib.waitFor(async () => (await frames(ada)) > before[0] && (await frames(blaise)) > before[1], { what: 'pictures again' });
});

test('a server that comes back finds its people again', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const [ada, blaise] = await Promise.all([0, 1].map((n) => lib.openPerson(stage, n, { clip: null })));
  for (const tab of [ada, blaise]) await lib.joinRoom(tab, meet, 'hall', { video: 0 });
  await meet.stop('SIGKILL');
  for (const tab of [ada, blaise]) await lib.waitFor(() => tab.evaluate(() => window.salon.banner), { what: 'a word of the loss' });
  await lib.startMeet(stage, { port: meet.port });
  const began = performance.now();
  for (const [tab, other] of [[ada, blaise], [blaise, ada]]) {
    await lib.waitFor(() => lib.hears(tab, lib.voiceOf(other.n)), { what: `${tab.n} to hear ${other.n} again`, guard: 60_000, explain: () => lib.said(tab) });
  }
  console.log(`restarted: heard again after ${seconds(performance.now() - began)}`);
  assert.equal(await ada.evaluate(() => window.salon.banner), null);
});

test('a browser that refuses sound before a click gets its button, and then plays', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const ada = await lib.openPerson(stage, 0, { clip: null });
  await lib.joinRoom(ada, meet, 'hall', { video: 0 });
  const plays = (tab) => tab.evaluate(() => window.salon.audioElements().every(({ element }) => !element.paused));
  // Without a click and without a microphone. The driver passes every question to the page for a click: so the server is asked.
  const blaise = await lib.openPerson(stage, 1, { clip: null, tone: null, autoplay: 'gesture' });
  await blaise.goto(meet.room('hall', { name: 'Blaise', join: 1, audio: 0, video: 0 }));
  const connected = async () => (await meet.api('/api/rooms/hall')).participants.filter((p) => p.connected).length === 2;
  await lib.waitFor(connected, { what: 'Blaise to be there' });
  await lib.waitFor(() => blaise.evaluate(() => !document.getElementById('unblock').hidden), { what: 'the button' });
  await blaise.click('#unblock');
  await lib.waitFor(() => plays(blaise), { what: 'all slots to play' });
  await lib.waitFor(() => lib.hears(blaise, lib.voiceOf(0)), { what: 'Ada’s voice' });
  assert.ok(await blaise.evaluate(() => document.getElementById('unblock').hidden));
  // The click on *join* is enough.
  await blaise.goto(meet.room('hall', { name: 'Blaise', audio: 0, video: 0 }));
  await lib.waitFor(() => blaise.evaluate(() => window.salon.ready), { what: 'the preview' });
  await blaise.click('#join');
  await lib.inRoom(blaise);
  await lib.waitFor(() => plays(blaise), { what: 'all slots to play' });
  assert.ok(await blaise.evaluate(() => document.getElementById('unblock').hidden));
});

test('what comes by WHIP has no button of its own: the moderator who muted it lets it be heard again', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const tab = await lib.openPerson(stage, 0, { clip: null });
  await tab.goto(await lib.moderatorsLink(meet, 'hall', { name: 'Ada', join: 1, video: 0, audio: 0 }));
  await lib.inRoom(tab);
  const studio = await tab.page.context().newPage();
  await studio.goto(meet.room('elsewhere'), { waitUntil: 'load' });
  await studio.evaluate(async () => {
    const pc = (window.studio = new RTCPeerConnection());
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    for (const track of stream.getTracks()) pc.addTransceiver(track, { direction: 'sendonly' });
    await pc.setLocalDescription();
    const answer = await fetch('/whip/hall?name=Studio', { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: pc.localDescription.sdp });
    await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  });
  await tab.page.bringToFront();
  const shows = async (kind) => {
    const { participants } = await meet.api('/api/rooms/hall');
    const studio = participants.find((p) => p.name === 'Studio');
    return studio && participants.find((p) => p.name === 'Ada').slots.some((s) => s.kind === kind && s.person === studio.id && !s.empty);
  };
  for (const kind of ['audio', 'video']) await lib.waitFor(() => shows(kind), { what: `${kind} of the studio` });
  await tab.click('#b-side');
  await tab.click('#people .tools > button');
  const press = (word) => tab.click(`#people .tools button:text-is("${word}")`);
  for (const [kind, off, on] of [['audio', 'Mute', 'Unmute'], ['video', 'Camera off', 'Camera on']]) {
    await press(off);
    await lib.waitFor(async () => !(await shows(kind)), { what: `${kind} to end` });
    await press(on);
    await lib.waitFor(() => shows(kind), { what: `${kind} again` });
  }
  assert.deepEqual(tab.errors, []);
});
