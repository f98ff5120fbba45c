// People in a room of the real page: opening it, joining, and what the page and the server say.

import { join } from 'node:path';

import { chromiumProgram, openChromium } from './chromium.mjs';
import { openFirefoxOn } from './elsewhere.mjs';
import { openFirefox } from './firefox.mjs';
import { colourOf, voiceOf, writeClip, writeTone } from './media.mjs';
import { waitFor } from './wait.mjs';

/**
 * A browser of its own for person `n`, with their voice and colour.
 *
 * `browser`: `chromium` or `firefox`. `clip`: of the camera, as `writeClip` takes it (default 320×180 at 15 frames/s), or `null` for
 * the browser's own. `at: [network, host]`: where the browser runs. The rest goes to the browser.
 */
export async function openPerson(stage, n, { browser = 'chromium', clip = {}, tone = {}, at, ...rest } = {}) {
  if (browser === 'firefox' && at) return Object.assign(await openFirefoxOn(stage, ...at, { frequency: voiceOf(n), ...rest }), { n });
  if (browser === 'firefox') return Object.assign(await openFirefox(stage, { frequency: voiceOf(n), ...rest }), { n });
  const directory = await stage.directory();
  const files = {
    tone: tone && (await writeTone(join(directory, 'tone.wav'), { frequency: voiceOf(n), ...tone })),
    clip: clip && (await writeClip(join(directory, 'clip.y4m'), { colour: colourOf(n), ...clip })),
  };
  const program = at && (await at[0].program(at[1], chromiumProgram()));
  return Object.assign(await openChromium(stage, { ...files, program, ...rest }), { n });
}

export const nameOf = (n) => ['Ada', 'Blaise', 'Chloé', 'Denis', 'Émilie', 'Fatou', 'Gauss', 'Hypatia'][n % 8];

/** Joins without the preview; resolves when the page is in the room and its media are connected. */
export async function joinRoom(tab, meet, room, query = {}) {
  await tab.goto(meet.room(room, { name: nameOf(tab.n), join: 1, height: 180, rate: 15, ...query }));
  await inRoom(tab);
  return tab;
}

/** Waits until the page is in the room and its media are connected. */
export function inRoom(tab) {
  return waitFor(() => tab.evaluate(() => window.salon.joined && window.salon.pc?.connectionState === 'connected'), {
    what: `${tab.browser} ${tab.n}: to be in the room`,
    explain: async () => [...tab.console, ...tab.errors, await said(tab)].join('\n'),
  });
}

/** What the page says to the eye. */
export const said = (tab) => tab.evaluate(() => document.body.innerText);

/** The page's own number in the room. */
export const idOf = (tab) => tab.evaluate(() => window.salon.me);

/** What each video slot of the page shows, by `person:source`: its mid. */
export function shown(tab) {
  return tab.evaluate(() => {
    const all = Object.entries(window.salon.slots).filter(([, s]) => s.person !== undefined && !s.empty);
    return Object.fromEntries(all.map(([mid, s]) => [`${s.person}:${s.source}`, mid]));
  });
}

/** The link of a moderator. */
export async function moderatorsLink(meet, room, query) {
  const headers = { authorization: `Bearer ${meet.token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${meet.url}/api/rooms/${room}/tokens`, { method: 'POST', headers, body: JSON.stringify({ role: 'moderator', seconds: 600 }) });
  return `${meet.room(room, query)}#key=${(await answer.json()).token}`;
}
