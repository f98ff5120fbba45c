// Whoever's browser speaks French has the same page: nothing for axe to find, and no English left over.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as lib from './lib/index.mjs';

/** Every text and label that is in the document now, shown or not. */
const texts = (tab) =>
  tab.evaluate(() => {
    const all = [...document.querySelectorAll('[data-t], [data-t-label], button')];
    return all.flatMap((e) => [e.children.length ? '' : e.textContent, e.getAttribute('aria-label') ?? '', e.title]).map((s) => s.trim()).filter(Boolean);
  });

test('axe finds nothing in French: preview, room, side, tools, dialogs, after leaving; and nothing is said in English', async (t) => {
  const stage = lib.Stage.of(t);
  const meet = await lib.startMeet(stage);
  const people = [];
  for (const locale of ['en-GB', 'fr-FR']) {
    const tab = await lib.openPerson(stage, people.length, { locale, viewport: { width: 1440, height: 900 }, clip: { width: 160, height: 90 } });
    people.push(tab);
  }
  const [english, ada] = people;
  const found = [];
  const look = async (what) => found.push(...(await lib.violationsInSizes(ada, what, [[1440, 900], [820, 1180], [390, 844]])));
  await ada.goto(await lib.moderatorsLink(meet, 'mairie', { name: 'Ada', height: 90, rate: 5 }));
  await lib.waitFor(() => ada.evaluate(() => window.salon.ready), { what: 'the preview' });
  assert.equal(await ada.evaluate(() => document.documentElement.lang), 'fr');
  await look('preview');
  await ada.click('#join');
  await lib.inRoom(ada);
  await look('alone');
  await lib.joinRoom(english, meet, 'mairie', { height: 90, rate: 5 });
  assert.equal(await english.evaluate(() => document.documentElement.lang), 'en');
  await lib.waitFor(() => ada.evaluate(() => window.salon.people.length === 2), { what: 'the other one' });
  await ada.click('#b-side');
  await ada.click('#people .tools > button');
  await look('side and tools');
  await ada.click('#b-side');
  for (const [what, open] of [['help', () => ada.page.keyboard.press('?')], ['leaving', () => ada.page.keyboard.press('l')], ['settings', () => ada.click('#b-settings')]]) {
    await open();
    await look(what);
    await ada.page.keyboard.press('Escape');
  }
  // Nothing that the English page says is said here word for word.
  const [theirs, ours] = [new Set(await texts(english)), new Set(await texts(ada))];
  assert.ok(theirs.size > 20 && ours.size > 20, `${theirs.size} and ${ours.size} texts`);
  assert.deepEqual([...ours].filter((text) => theirs.has(text) && /\p{L}{4,}/u.test(text)), []);
  await ada.click('#b-leave');
  await look('left');
  assert.deepEqual(found, []);
  for (const tab of people) assert.deepEqual([tab.errors, tab.console.filter((line) => line.startsWith('error'))], [[], []]);
});
