// For those who don't use a mouse, don't see the page, see little, or have little to spend on it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as lib from './lib/index.mjs';

test('axe finds nothing: preview, room, side, share, moderator’s tools, dialogs, after leaving; light and dark; desktop and phone', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const ada = await lib.openPerson(stage, 0, { clip: { width: 160, height: 90 }, args: ['--auto-select-desktop-capture-source=Entire screen'] });
  const found = [];
  const look = async (what) => found.push(...(await lib.violationsInSizes(ada, what, [[1280, 800], [390, 844]])));
  await ada.goto(await lib.moderatorsLink(meet, 'hall', { name: 'Ada', height: 90, rate: 5 }));
  await lib.waitFor(() => ada.evaluate(() => window.salon.ready), { what: 'the preview' });
  await look('preview');
  await ada.click('#join');
  await lib.inRoom(ada);
  await look('alone');

  const blaise = await ada.page.context().newPage();
  await blaise.goto(meet.room('hall', { name: 'Blaise', join: 1, video: 0, audio: 0 }), { waitUntil: 'load' });
  await blaise.waitForFunction(() => window.salon.joined);
  await blaise.keyboard.press('h');
  await blaise.evaluate(() => {
    document.getElementById('chat-text').value = 'Good morning';
    document.getElementById('chat-form').requestSubmit();
  });
  await lib.waitFor(() => ada.evaluate(() => document.getElementById('unread').textContent === '1'), { what: 'the unread message' });
  await lib.waitFor(() => ada.evaluate(() => document.getElementById('live').textContent), { what: 'an announcement' });
  assert.match(await ada.evaluate(() => document.getElementById('live').textContent), /Blaise/);
  await look('two');
  await ada.click('#b-side');
  await ada.click('#people .tools > button');
  await look('tools');
  await ada.click('#b-lock');
  for (const page of [ada.page, blaise]) await page.waitForFunction(() => !document.getElementById('locked').hidden);
  const chloé = await ada.page.context().newPage();
  await chloé.goto(meet.room('hall', { name: 'Chloé', join: 1, video: 0, audio: 0 }), { waitUntil: 'load' });
  await lib.waitFor(() => ada.evaluate(() => !document.getElementById('doorbell').hidden), { what: 'the knock' });
  await look('knock');
  await chloé.close();
  await ada.click('#b-side');
  await ada.click('#b-screen');
  await lib.waitFor(() => ada.evaluate(() => document.querySelector('.tile[data-key$=":screen"]')), { what: 'the share' });
  await ada.click('#b-mic');
  await look('share, muted');
  for (const key of ['?', 'l']) {
    await ada.page.keyboard.press(key);
    await look(`dialog ${key}`);
    await ada.page.keyboard.press('Escape');
  }
  await ada.click('#b-settings');
  await look('settings');
  await ada.page.keyboard.press('Escape');
  await ada.resize(390, 844);
  await ada.click('#b-more');
  await look('menu');
  await ada.page.keyboard.press('Escape');
  await ada.click('#b-leave');
  await look('left');
  assert.deepEqual(found, []);
  assert.deepEqual(ada.errors, []);
});

for (const [size, viewport] of Object.entries({ desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } })) {
  test(`the keyboard alone is enough: ${size}`, async (t) => {
    const stage = lib.Stage.of(t);
    const meet = await lib.startMeet(stage);
    const tab = await lib.openPerson(stage, 0, { viewport, clip: { width: 160, height: 90 }, args: ['--auto-select-desktop-capture-source=Entire screen'] });
    const { keyboard } = tab.page;
    const pressed = (id) => tab.evaluate((id) => document.getElementById(id).getAttribute('aria-pressed'), id);
    const focused = () =>
      tab.evaluate(() => {
        const e = document.activeElement;
        const style = getComputedStyle(e);
        return { id: e.id || `${e.closest('[data-key]')?.dataset.key ?? ''} ${e.className || e.tagName}`, outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
      });
    /** Walks with Tab through all that can be reached. */
    async function walk() {
      const ids = [];
      await tab.evaluate(() => document.activeElement.blur());
      for (let steps = 0; steps < 80; steps++) {
        await keyboard.press('Tab');
        const { id, outlined } = await focused();
        // After the last one comes the document, and then the first one.
        if (id === ' BODY') continue;
        if (ids.includes(id)) break;
        assert.ok(outlined, `${id} shows that it has the focus`);
        ids.push(id);
      }
      return ids;
    }
    /** Walks to a control, and presses it. */
    async function press(id, key = 'Enter') {
      await tab.evaluate(() => document.activeElement.blur());
      for (let steps = 0; steps < 80; steps++) {
        await keyboard.press('Tab');
        if ((await focused()).id === id) return keyboard.press(key);
      }
      throw new Error(`${id} cannot be reached`);
    }
    const shown = () =>
      tab.evaluate(() => [...document.querySelectorAll('button, input, select')].filter((e) => e.checkVisibility() && !e.disabled && !e.closest('.tile')).map((e) => e.id || e.textContent));

    await tab.goto(await lib.moderatorsLink(meet, 'hall', { height: 90, rate: 5 }));
    await lib.waitFor(() => tab.evaluate(() => window.salon.ready), { what: 'the preview' });
    const preview = await walk();
    for (const id of ['name', 'mic-choice', 'camera-choice', 'join']) assert.ok(preview.includes(id), `${id} in ${preview}`);
    await tab.evaluate(() => document.getElementById('name').focus());
    await keyboard.type('Ada');
    await keyboard.press('Enter');
    await lib.inRoom(tab);

    const other = await tab.page.context().newPage();
    await other.goto(meet.room('hall', { name: 'Blaise', join: 1, video: 0, audio: 0 }), { waitUntil: 'load' });
    await other.waitForFunction(() => window.salon.joined);
    await tab.page.bringToFront();
    await lib.waitFor(() => tab.evaluate(() => window.salon.people.length === 2), { what: 'the other one' });

    // Letters.
    for (const [key, id] of Object.entries({ m: 'b-mic', c: 'b-camera', s: 'b-screen', h: 'b-hand', g: 'b-layout', a: 'b-audio-only', p: 'b-side' })) {
      for (const _ of ['there', 'back']) {
        const before = await pressed(id);
        await keyboard.press(key);
        await lib.waitFor(async () => (await pressed(id)) !== before, { what: `${key} to change ${id}` });
        // A screen that begins or ends negotiates.
        await lib.waitFor(() => tab.evaluate(() => window.salon.pc.signalingState === 'stable'), { what: 'the agreement' });
      }
    }
    await press('b-side');
    await keyboard.press('Escape');
    assert.equal(await pressed('b-side'), 'false');
    await keyboard.press('p');

    // Tab reaches all that is shown, with a visible focus.
    const reached = await walk();
    const missing = (await shown()).filter((id) => !reached.some((r) => r === id || r.includes(id)) && !['', '…'].includes(id));
    assert.deepEqual(missing, [], `reached: ${reached}`);
    const own = await lib.idOf(tab);
    const theirs = await tab.evaluate((own) => window.salon.people.find((p) => p.id !== own).id, own);
    await press(`${theirs}:camera pick`);
    assert.ok(await tab.evaluate((id) => document.querySelector(`.tile[data-key="${id}:camera"]`).classList.contains('pinned'), theirs));
    await press(`${own}:camera pick`);
    assert.ok(await tab.evaluate((id) => document.querySelector(`.tile[data-key="${id}:camera"]`).classList.contains('tucked'), own));

    // A message.
    await tab.evaluate(() => document.getElementById('chat-text').focus());
    await keyboard.type('mchslag?');
    assert.equal(await pressed('b-hand'), 'false', 'whoever writes presses no buttons');
    await keyboard.press('Enter');
    await lib.waitFor(() => tab.evaluate(() => document.querySelectorAll('#chat-log li').length === 1), { what: 'the message' });
    await keyboard.press('Escape');

    // The moderator’s tools.
    await keyboard.press('p');
    await press('b-lock');
    await other.waitForFunction(() => !document.getElementById('locked').hidden);
    await keyboard.press('p');

    // Dialogs, and leaving.
    if (size === 'phone') {
      await press('b-more');
      for (let steps = 0; (await focused()).id !== 'b-help' && steps < 9; steps++) await keyboard.press('Tab');
      await keyboard.press('Enter');
    } else await keyboard.press('?');
    assert.ok(await tab.evaluate(() => document.getElementById('help').open));
    await keyboard.press('Escape');
    await keyboard.press('l');
    await keyboard.press('Escape');
    assert.ok(await tab.evaluate(() => window.salon.joined), 'l alone ends nothing');
    await keyboard.press('l');
    await keyboard.press('Enter');
    await lib.waitFor(() => tab.evaluate(() => !document.getElementById('left').hidden), { what: 'to have left' });
    assert.deepEqual(await walk(), ['rejoin']);
    assert.deepEqual(tab.errors, []);
  });
}

test('who speaks and is muted is told so; nothing is sent', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const tab = await lib.openPerson(stage, 0, { clip: null });
  await lib.joinRoom(tab, meet, 'hall', { video: 0 });
  const sign = () => tab.evaluate(() => !document.getElementById('unheard').hidden);
  const sent = async () => (await lib.outgoing(tab)).filter((s) => s.kind === 'audio').reduce((sum, s) => sum + s.packets, 0);
  await lib.waitFor(sent, { what: 'sound to be sent' });
  assert.equal(await sign(), false, 'not while one is heard');
  await tab.click('#b-mic');
  await lib.rest(500);
  const before = await sent();
  await lib.waitFor(sign, { what: 'the sign' });
  assert.equal(await sent(), before);
  await tab.click('#b-mic');
  // The click is answered when the microphone is on.
  await lib.waitFor(async () => !(await sign()), { what: 'the sign to be gone with its reason' });
});

test('a page that nobody looks at gets no pictures, but sound; and pictures again at once', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const [ada, blaise] = await Promise.all([0, 1].map((n) => lib.openPerson(stage, n)));
  for (const tab of [ada, blaise]) await lib.joinRoom(tab, meet, 'hall');
  const frames = async () => Object.values(await lib.framesDecoded(ada)).reduce((a, b) => a + b, 0);
  await lib.waitFor(frames, { what: 'a picture' });
  // Headless browsers keep all their pages visible: the page is told what a browser with tabs would tell it.
  const hide = (hidden) =>
    ada.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await hide(true);
  const slots = async () => (await meet.api('/api/rooms/hall')).participants.find((p) => p.name === 'Ada').slots;
  const still = async () => {
    const first = await frames();
    await lib.rest(1_500);
    return first === (await frames());
  };
  await lib.waitFor(still, { what: 'the pictures to end', explain: async () => JSON.stringify(await slots()) });
  await lib.waitFor(() => lib.hears(ada, lib.voiceOf(1)), { what: 'sound to go on' });
  const before = await frames();
  await hide(false);
  await lib.waitFor(async () => (await frames()) > before, { what: 'pictures again' });
});

test('a face that is picked is large, stays whoever speaks, and goes back', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const [ada, blaise] = await Promise.all([0, 1].map((n) => lib.openPerson(stage, n, { viewport: { width: 1000, height: 600 } })));
  for (const tab of [ada, blaise]) await lib.joinRoom(tab, meet, 'hall');
  const third = await lib.openPerson(stage, 2, { clip: null });
  await lib.joinRoom(third, meet, 'hall', { video: 0 });
  const key = `${await lib.idOf(blaise)}:camera`;
  const other = `${await lib.idOf(third)}:camera`;
  const size = (key) => ada.evaluate((key) => parseInt(document.querySelector(`.tile[data-key="${key}"]`).style.height, 10), key);
  await lib.waitFor(async () => (await lib.shown(ada))[key], { what: 'Blaise to be seen' });
  assert.equal(await size(key), await size(other));
  await ada.click(`.tile[data-key="${key}"] .pick`);
  assert.ok((await size(key)) > 2 * (await size(other)));
  await lib.waitFor(async () => (await lib.shown(ada))[key] && (await ada.evaluate((key) => document.querySelector(`.tile[data-key="${key}"] video`)?.videoWidth > 0, key)), { what: 'his picture' });
  await ada.click(`.tile[data-key="${key}"] .pick`);
  assert.equal(await size(key), await size(other));
  await ada.page.keyboard.press('g');
  await lib.waitFor(async () => Math.abs((await size(key)) - (await size(other))) > 100, { what: 'one of them large' });
  for (const tab of [ada, blaise, third]) assert.deepEqual(tab.errors, []);
});

/** What a cold load may cost on the wire, as files and headers travel. */
const WIRE = 100_000;

test('a cold load asks this server alone, and fits its budget: 100 kB on the wire', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const tab = await lib.openPerson(stage, 0, { clip: { width: 160, height: 90 } });
  const cdp = await tab.page.context().newCDPSession(tab.page);
  const [requests, types] = [new Map(), new Map()];
  await cdp.send('Network.enable');
  cdp.on('Network.responseReceived', ({ requestId, response }) => types.set(requestId, response));
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => requests.set(requestId, encodedDataLength));
  const hosts = new Set();
  tab.page.on('request', (r) => hosts.add(new URL(r.url()).host));
  await lib.joinRoom(tab, meet, 'hall');
  await lib.rest(500);
  assert.deepEqual([...hosts], [new URL(meet.url).host]);
  let [answers, wire, bodies] = [0, 0, 0];
  for (const [id, length] of requests) {
    const response = types.get(id);
    if (!response?.url.startsWith('http')) continue;
    const { body, base64Encoded } = await cdp.send('Network.getResponseBody', { requestId: id }).catch(() => ({ body: '' }));
    answers += 1;
    wire += length;
    bodies += Buffer.from(body, base64Encoded ? 'base64' : 'utf8').length;
  }
  console.log(`${answers} answers: ${wire} bytes on the wire; ${bodies} of files`);
  assert.ok(bodies > 50_000, 'all was counted');
  assert.ok(wire <= WIRE, `${wire} bytes`);
});

for (const [locale, said] of Object.entries({ en: /^Your part of this hour: [\d.,]+ (kB|MB), [\d.]+ (sec|s) of the server’s processor\.$/, fr: /^Votre part de cette heure : [\d.,]+\s(ko|Mo), [\d,]+\ss du processeur du serveur\.$/ })) {
  test(`one line says what one costs, in ${locale}`, async (t) => {
    const stage = lib.Stage.of(t);
    const meet = await lib.startMeet(stage);
    const tab = await lib.openPerson(stage, 0, { clip: { width: 160, height: 90 }, args: [`--lang=${locale}`, `--accept-lang=${locale}`], locale });
    await lib.joinRoom(tab, meet, 'hall');
    await tab.click('#b-side');
    const line = () => tab.evaluate(() => (document.getElementById('sobriety').checkVisibility() ? document.getElementById('sobriety').textContent : ''));
    const first = await lib.waitFor(line, { what: 'the line' });
    assert.match(first, said);
    await lib.waitFor(async () => (await line()) !== first, { what: 'newer figures' });
    assert.match(await line(), said);
    assert.deepEqual(tab.errors, []);
  });
}

test('what one costs is that of the last hour', async () => {
  Object.defineProperty(globalThis, 'navigator', { value: { languages: ['en'] }, configurable: true });
  const { Sobriety } = await import(new URL('../../crates/server/page/sobriety.js', import.meta.url));
  const sobriety = new Sobriety();
  const minutes = (n, megabytes, seconds) => sobriety.say({ cpu_ms: 1_000 * seconds, bytes_in: 0, bytes_out: 1e6 * megabytes }, n * 60_000);
  assert.match(minutes(0, 0.25, 0), /250 kB, 0 sec/);
  let line;
  for (let n = 1; n <= 50; n++) line = minutes(n, 4 * n, n / 10);
  assert.match(line, /200 MB, 5 sec/, 'all of it, in the first hour');
  for (let n = 51; n <= 300; n++) line = minutes(n, 4 * n, n / 10);
  assert.match(line, /240 MB, 6 sec/, 'of the last sixty minutes, later');
  assert.match(minutes(301, 3, 0.2), /3 MB, 0.2 sec/, 'who joins anew is counted from nothing');
  assert.match(minutes(302, 12_000, 7_000), /12 GB, 117 min/);
});
