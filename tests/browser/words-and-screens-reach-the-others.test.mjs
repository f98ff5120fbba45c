// Chat, hands, names, shared screens; and a page that keeps to itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as lib from './lib/index.mjs';

const EVIL = '<img src=x onerror="window.hacked=1">';

test('words are text, hands are seen, a screen comes and goes', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const ada = await lib.openPerson(stage, 0, { args: ['--auto-select-desktop-capture-source=Entire screen'] });
  const blaise = await lib.openPerson(stage, 1, { browser: 'firefox' });
  await lib.joinRoom(ada, meet, 'hall', { name: EVIL });
  await lib.joinRoom(blaise, meet, 'hall', { video: 0 });

  await ada.click('#b-side');
  await ada.evaluate(() => (document.getElementById('chat-text').value = `<b>bold</b> & “text”`));
  await ada.click('#chat-form button');
  const log = (tab) => tab.evaluate(() => [...document.querySelectorAll('#chat-log li')].map((li) => li.textContent));
  for (const tab of [ada, blaise]) {
    const [line] = await lib.waitFor(async () => ((await log(tab)).length ? log(tab) : null), { what: 'the message' });
    assert.equal(line, `${EVIL}<b>bold</b> & “text”`);
  }
  assert.equal(await blaise.evaluate(() => document.getElementById('unread').textContent), '1', 'what came while the chat was shut is counted');

  const id = await lib.idOf(ada);
  const tile = (source) => blaise.evaluate(([id, source]) => document.querySelector(`[data-key="${id}:${source}"]`)?.className ?? null, [id, source]);
  const name = await blaise.evaluate((id) => document.querySelector(`[data-key="${id}:camera"] .name`).textContent, id);
  assert.equal(name, EVIL);
  for (const tab of [ada, blaise]) {
    assert.equal(await tab.evaluate(() => document.querySelectorAll('img').length), 0);
    assert.equal(await tab.evaluate(() => window.hacked), undefined);
  }
  await ada.click('#b-hand');
  await lib.waitFor(async () => /\bhand\b/.test(await tile('camera')), { what: 'the hand' });
  await ada.click('#b-hand');
  await lib.waitFor(async () => !/\bhand\b/.test(await tile('camera')), { what: 'the hand to go' });

  await ada.click('#b-screen');
  const key = `${id}:screen`;
  const mid = await lib.waitFor(async () => (await lib.shown(blaise))[key], {
    what: 'the screen in a slot',
    explain: async () => [...ada.console, ...ada.errors, JSON.stringify(await ada.evaluate(() => window.salon.people)), meet.log()].join('\n'),
  });
  await lib.waitFor(async () => (await lib.incoming(blaise))[mid]?.framesDecoded > 0, { what: 'a frame of the screen' });
  const { width, height } = (await lib.incoming(blaise))[mid];
  console.log(`screen: ${width}×${height}`);
  await lib.waitFor(async () => /\bseen\b/.test(await tile('screen')), { what: 'the screen on the stage' });
  await ada.click('#b-screen');
  await lib.waitFor(async () => (await lib.shown(blaise))[key] === undefined && (await tile('screen')) === null, { what: 'the screen to go' });
  // And once more: the section is used again.
  await ada.click('#b-screen');
  await lib.waitFor(async () => (await lib.shown(blaise))[key], { what: 'the screen again' });
  for (const tab of [ada, blaise]) assert.deepEqual(tab.errors, []);
});

for (const language of ['en', 'fr']) {
  test(`the page in ${language}: by hand through preview and room, no complaint, nothing from elsewhere`, async (t) => {
    const stage = lib.Stage.of(t);
    const meet = await lib.startMeet(stage);
    const tab = await lib.openPerson(stage, 0, { clip: null, tone: null, args: [`--lang=${language}`, `--accept-lang=${language}`], locale: language });
    const elsewhere = [];
    tab.page.on('request', (r) => new URL(r.url()).host === new URL(meet.url).host || elsewhere.push(r.url()));
    await tab.goto(meet.room('hall'));
    await lib.waitFor(() => tab.evaluate(() => window.salon.ready), { what: 'the preview' });
    assert.equal(await tab.evaluate(() => document.documentElement.lang), language);
    assert.equal(await tab.evaluate(() => document.getElementById('join').textContent), { en: 'Join', fr: 'Entrer' }[language]);
    await lib.waitFor(() => tab.evaluate(() => document.getElementById('self-preview').videoWidth > 0), { what: 'one’s own picture' });
    await lib.waitFor(() => tab.evaluate(() => document.getElementById('mic-level').value > 0.01), { what: 'the level of the microphone' });
    await tab.evaluate(() => (document.getElementById('name').value = 'Ada'));
    await tab.click('#join');
    await lib.inRoom(tab);
    for (const b of ['#b-side', '#b-mic', '#b-mic', '#b-camera', '#b-camera', '#b-hand', '#b-audio-only', '#b-audio-only', '#b-link']) await tab.click(b);
    // Every control says what it is, to those who cannot see it.
    const silent = await tab.evaluate(() => [...document.querySelectorAll('button, input, select, meter')].filter((e) => !e.closest('[hidden]') && !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).map((e) => e.id));
    assert.deepEqual(silent, []);
    await tab.click('#b-leave');
    await lib.waitFor(async () => (await meet.api('/api/rooms')).length === 0, { what: 'the room to be gone', explain: JSON.stringify });
    assert.deepEqual(tab.errors, []);
    assert.deepEqual(tab.console.filter((line) => /^(error|warning)/.test(line)), []);
    assert.deepEqual(elsewhere, []);
  });
}
