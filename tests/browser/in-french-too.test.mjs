// Whoever's browser speaks French has the same page: nothing for axe to find, and no English left over.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import * as lib from './lib/index.mjs';

const axe = createRequire(import.meta.url)('axe-core').source;

/** What axe finds, in each scheme and size. */
async function faults(tab, what) {
  const found = [];
  for (const viewport of [[1440, 900], [820, 1180], [390, 844]]) {
    await tab.resize(...viewport);
    for (const colorScheme of ['light', 'dark']) {
      await tab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      if (!(await tab.evaluate(() => 'axe' in window))) await tab.page.evaluate(axe);
      const violations = await tab.evaluate(async () => {
        const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
        return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary}`));
      });
      found.push(...violations.map((v) => `${what}, ${viewport[0]}, ${colorScheme}: ${v}`));
    }
  }
  await tab.resize(1440, 900);
  return found;
}

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
  const headers = { authorization: `Bearer ${meet.token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${meet.url}/api/rooms/mairie/tokens`, { method: 'POST', headers, body: JSON.stringify({ role: 'moderator', seconds: 600 }) });
  const found = [];
  const look = async (what) => found.push(...(await faults(ada, what)));
  await ada.goto(`${meet.room('mairie', { name: 'Ada', height: 90, rate: 5 })}#key=${(await answer.json()).token}`);
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
