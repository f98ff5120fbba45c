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
  await blaise.goto(meet.room('hall', { name: 'Blaise', join: 1, height: 90, rate: 5 }), { waitUntil: 'load' });
  await blaise.waitForFunction(() => window.salon?.joined);
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
  await ada.click('#people .tools > div > button');
  await lib.waitFor(() => ada.evaluate(() => document.querySelector('#people [aria-disabled="true"]')), { what: 'Blaise to be muted' });
  await look('tools, muted');
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
    const hand = new lib.Keyboard(tab);
    const pressed = (id) => tab.evaluate((id) => document.getElementById(id).getAttribute('aria-pressed'), id);

    await tab.goto(await lib.moderatorsLink(meet, 'hall', { height: 90, rate: 5 }));
    await lib.waitFor(() => tab.evaluate(() => window.salon.ready), { what: 'the preview' });
    const preview = await hand.walk();
    for (const id of ['name', 'mic-choice', 'camera-choice', 'join']) assert.ok(preview.includes(id), `${id} in ${preview}`);
    await tab.evaluate(() => document.getElementById('name').focus());
    await hand.type('Ada');
    await hand.strike('Enter');
    await lib.inRoom(tab);

    const other = await tab.page.context().newPage();
    await other.goto(meet.room('hall', { name: 'Blaise', join: 1, video: 0, audio: 0 }), { waitUntil: 'load' });
    await other.waitForFunction(() => window.salon?.joined);
    await tab.page.bringToFront();
    await lib.waitFor(() => tab.evaluate(() => window.salon.people.length === 2), { what: 'the other one' });

    // Letters.
    for (const [key, id] of Object.entries({ m: 'b-mic', c: 'b-camera', s: 'b-screen', h: 'b-hand', g: 'b-layout', a: 'b-audio-only', p: 'b-side' })) {
      for (const _ of ['there', 'back']) {
        const before = await pressed(id);
        await hand.strike(key);
        await lib.waitFor(async () => (await pressed(id)) !== before, { what: `${key} to change ${id}` });
        // A screen that begins or ends negotiates.
        await lib.waitFor(() => tab.evaluate(() => window.salon.pc.signalingState === 'stable'), { what: 'the agreement' });
      }
    }
    await hand.press('b-side');
    await hand.strike('Escape');
    assert.equal(await pressed('b-side'), 'false');
    await hand.strike('p');

    // Tab reaches all that is shown, with a visible focus.
    const reached = await hand.walk();
    const missing = (await hand.shown()).filter((name) => !reached.includes(name));
    assert.deepEqual(missing, [], `reached: ${reached}`);
    const own = await lib.idOf(tab);
    const theirs = await tab.evaluate((own) => window.salon.people.find((p) => p.id !== own).id, own);
    await hand.press(`${theirs}:camera pick`);
    assert.ok(await tab.evaluate((id) => document.querySelector(`.tile[data-key="${id}:camera"]`).classList.contains('pinned'), theirs));
    await hand.press(`${own}:camera pick`);
    assert.ok(await tab.evaluate((id) => document.querySelector(`.tile[data-key="${id}:camera"]`).classList.contains('tucked'), own));

    // A message.
    await tab.evaluate(() => document.getElementById('chat-text').focus());
    await hand.type('mchslag?');
    assert.equal(await pressed('b-hand'), 'false', 'whoever writes presses no buttons');
    await hand.strike('Enter');
    await lib.waitFor(() => tab.evaluate(() => document.querySelectorAll('#chat-log li').length === 1), { what: 'the message' });
    await hand.strike('Escape');

    // The moderator’s tools.
    await hand.strike('p');
    await hand.press('b-lock');
    await other.waitForFunction(() => !document.getElementById('locked').hidden);
    await hand.strike('p');

    // Dialogs, and leaving.
    if (size === 'phone') {
      await hand.press('b-more');
      await hand.press('b-help');
    } else await hand.strike('?');
    assert.ok(await tab.evaluate(() => document.getElementById('help').open));
    await hand.strike('Escape');
    await hand.strike('l');
    await hand.strike('Escape');
    assert.ok(await tab.evaluate(() => window.salon.joined), 'l alone ends nothing');
    await hand.strike('l');
    await hand.strike('Enter');
    await lib.waitFor(() => tab.evaluate(() => !document.getElementById('left').hidden), { what: 'to have left' });
    assert.deepEqual(await hand.walk(), ['rejoin']);
    assert.deepEqual(tab.errors, []);
  });
}

for (const [size, viewport] of Object.entries({ desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } })) {
  test(`what opens over the room keeps the focus and gives it back, and all in it works by the keyboard: ${size}`, async (t) => {
    const stage = lib.Stage.of(t);
    const meet = await lib.startMeet(stage);
    // Two cameras, so that one can be chosen.
    const args = ['--use-fake-device-for-media-stream=device-count=2', '--auto-select-desktop-capture-source=Entire screen'];
    const tab = await lib.openPerson(stage, 0, { viewport, clip: null, args });
    const hand = new lib.Keyboard(tab);
    const isOpen = (id) => tab.evaluate((id) => document.getElementById(id).open, id);
    await tab.goto(await lib.moderatorsLink(meet, 'hall', { name: 'Ada', join: 1, height: 90, rate: 5 }));
    await lib.inRoom(tab);
    const come = async (name, query = {}) => {
      const page = await tab.page.context().newPage();
      await page.goto(meet.room('hall', { name, join: 1, height: 90, rate: 5, ...query }), { waitUntil: 'load' });
      await tab.page.bringToFront();
      return page;
    };
    const there = (n) => lib.waitFor(() => tab.evaluate((n) => window.salon.people.length === n, n), { what: `${n} people` });

    // On a phone the buttons are behind another one, which has the focus again later.
    const opener = (id) => (size === 'phone' ? 'b-more' : id);
    const open = async (id) => {
      if (size === 'phone') await hand.press('b-more');
      await hand.press(id);
    };
    for (const [id, dialog, controls] of [
      ['b-settings', 'settings', ['Close', 'mic-choice', 'camera-choice', 'speaker-choice', 'show-self']],
      ['b-help', 'help', ['Close']],
    ]) {
      for (const way of ['Escape', 'Enter', 'Space']) {
        await open(id);
        assert.ok(await isOpen(dialog), `${dialog} opens`);
        assert.deepEqual(await hand.shown(`#${dialog}`), controls);
        if (way === 'Escape') {
          const first = (await hand.focused()).name;
          assert.ok(controls.includes(first), `${first} has the focus as ${dialog} opens`);
          const [forth, back] = [await hand.round(), await hand.round('Shift+Tab')];
          assert.deepEqual([...forth].sort(), [...controls].sort(), 'nothing outside can be reached');
          assert.deepEqual([...back].sort(), [...controls].sort(), 'nor backwards');
          await hand.strike('Escape');
        } else await hand.press('Close', way);
        assert.ok(!(await isOpen(dialog)), `${dialog} closes by ${way}`);
        assert.equal((await hand.focused()).name, opener(id), 'who opened it has the focus again');
      }
    }

    // The settings: another device is taken, by a key.
    await open('b-settings');
    const sent = (kind) => tab.evaluate((kind) => window.salon.pc.getSenders().find((s) => s.track?.kind === kind).track.getSettings().deviceId, kind);
    for (const [id, kind] of [['mic-choice', 'audio'], ['camera-choice', 'video']]) {
      const before = await sent(kind);
      await hand.to(id);
      assert.equal(await tab.evaluate((id) => document.getElementById(id).value, id), before);
      await hand.strike('ArrowDown');
      await lib.waitFor(async () => (await sent(kind)) !== before, { what: `another device of ${id}` });
      assert.equal((await hand.focused()).name, id);
    }
    const speaker = () => tab.evaluate(() => [document.getElementById('speaker-choice').value, ...window.salon.audioElements().map(({ element }) => element.sinkId)]);
    await hand.to('speaker-choice');
    await hand.strike('ArrowDown');
    const [chosen] = await speaker();
    await lib.waitFor(async () => (await speaker()).every((id) => id === chosen), { what: 'the other loudspeaker' });
    assert.ok(chosen && chosen !== 'default');
    const tucked = () => tab.evaluate(() => document.querySelector(`.tile[data-key="${window.salon.me}:camera"]`).classList.contains('tucked'));
    await hand.press('show-self', 'Space');
    assert.ok(await tucked());
    await hand.strike('Space');
    assert.ok(!(await tucked()));
    await hand.strike('Escape');

    if (size === 'phone') {
      // The menu: what is chosen closes it, and the focus is not lost with it.
      for (const id of ['b-layout', 'b-audio-only']) {
        for (const on of ['true', 'false']) {
          await open(id);
          assert.equal((await hand.focused()).name, 'b-more');
          await lib.waitFor(() => tab.evaluate(([id, on]) => document.getElementById(id).getAttribute('aria-pressed') === on, [id, on]), { what: `${id}: ${on}` });
        }
      }
      await hand.press('b-more');
      await hand.strike('Escape');
      assert.equal((await hand.focused()).name, 'b-more');
    }

    // The question before leaving, which a letter opens: the focus goes back to where it was.
    await hand.to('b-hand');
    await hand.strike('l');
    assert.equal((await hand.focused()).name, 'really-leave');
    for (const key of ['Tab', 'Shift+Tab']) assert.deepEqual((await hand.round(key)).sort(), ['Close', 'really-leave']);
    await hand.strike('Escape');
    assert.equal((await hand.focused()).name, 'b-hand');

    // The people, and what a moderator may do to one of them.
    const blaise = await come('Blaise');
    await there(2);
    await hand.press('b-side', 'Space');
    const state = (source) => tab.evaluate((source) => window.salon.people.find((p) => p.name === 'Blaise')?.muted.includes(source), source);
    await lib.waitFor(async () => (await state('microphone')) === false && (await state('camera')) === false, { what: 'Blaise to send' });
    await hand.press('What you can do about Blaise');
    for (const [word, source] of [['Mute', 'microphone'], ['Camera off', 'camera']]) {
      await hand.press(word);
      await lib.waitFor(() => state(source), { what: `${word} to do so` });
      assert.equal((await hand.focused()).name, word, 'the focus stays');
    }
    await hand.press('Remove');
    await hand.strike('Enter');
    await there(1);
    await blaise.waitForFunction(() => !document.getElementById('left').hidden);
    assert.equal((await hand.focused()).name, 'b-side-close', 'who is gone takes no focus along');
    await blaise.close();

    // The door.
    await hand.press('b-lock');
    await tab.page.waitForFunction(() => !document.getElementById('locked').hidden);
    const knocks = (n) => lib.waitFor(() => tab.evaluate((n) => document.querySelectorAll('#doorbell li').length === n, n), { what: `${n} to knock` });
    const quiet = { video: 0, audio: 0 };
    const chloé = await come('Chloé', quiet);
    await knocks(1);
    await hand.to('Let in: Chloé');
    const denis = await come('Denis', quiet);
    await knocks(2);
    assert.equal((await hand.focused()).name, 'Let in: Chloé', 'another knock leaves the focus where it is');
    await hand.strike('Enter');
    await chloé.waitForFunction(() => window.salon?.joined);
    await knocks(1);
    assert.equal((await hand.focused()).name, 'Let in: Denis', 'the next one');
    await hand.press('Refuse: Denis', 'Space');
    await denis.waitForFunction(() => document.getElementById('preview-note').textContent.includes('not let in'));
    await knocks(0);
    await hand.press('b-lock');
    await tab.page.waitForFunction(() => document.getElementById('locked').hidden);

    // The chat: what is long is read by the keyboard, too.
    await hand.to('chat-text');
    await hand.paste('All that we said. '.repeat(200));
    await hand.press('b-send', 'Space');
    const scrolled = () => tab.evaluate(() => document.getElementById('chat-scroll').scrollTop);
    await lib.waitFor(() => tab.evaluate(() => document.querySelector('#chat-log li')), { what: 'the long message' });
    await hand.press('chat-scroll', 'End');
    await lib.waitFor(scrolled, { what: 'its end' });
    await hand.strike('Home');
    await lib.waitFor(async () => (await scrolled()) === 0, { what: 'its beginning' });
    await hand.press('b-side-close');
    assert.equal((await hand.focused()).name, 'b-side', 'who shuts the side stands on what opens it');

    // For everybody.
    await hand.strike('Enter');
    await hand.press('b-hush-all');
    await hand.press('b-end');
    await hand.strike('Enter');
    for (const page of [chloé, tab.page]) await page.waitForFunction(() => !document.getElementById('left').hidden);
    assert.deepEqual(tab.errors, []);
  });
}

test('the longest name is read whole in the list of people, on every screen', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const tab = await lib.openPerson(stage, 0, { clip: null });
  const name = 'Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlun';
  await tab.goto(await lib.moderatorsLink(meet, 'hall', { name: 'Ada', join: 1, video: 0 }));
  await lib.inRoom(tab);
  const other = await tab.page.context().newPage();
  await other.goto(meet.room('hall', { name, join: 1, video: 0 }), { waitUntil: 'load' });
  await other.waitForFunction(() => window.salon?.joined);
  await other.keyboard.press('h');
  await tab.page.bringToFront();
  await lib.waitFor(() => tab.evaluate(() => window.salon.people.some((p) => p.hand)), { what: 'the hand' });
  await tab.click('#b-side');
  for (const size of [[1440, 900], [820, 1180], [390, 844]]) {
    await tab.resize(...size);
    const seen = await tab.evaluate(() => {
      const [list, row] = [document.getElementById('people'), document.querySelector('#people .queue:not(:empty)').parentElement];
      const [name, queue, tools] = ['.who', '.queue', '.tools > button'].map((s) => row.querySelector(s).getBoundingClientRect());
      return { text: row.querySelector('.who').textContent, wide: list.scrollWidth > list.clientWidth, high: list.scrollHeight > list.clientHeight, beside: queue.right <= name.left && name.right <= tools.left };
    });
    assert.deepEqual(seen, { text: name, wide: false, high: false, beside: true }, `${size}`);
  }
});

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
