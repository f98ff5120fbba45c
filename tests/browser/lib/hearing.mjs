// Who hears whom, now and by packets that have just come.

import { hears, incoming } from './measure.mjs';
import { voiceOf } from './media.mjs';
import { said } from './room.mjs';
import { rest, waitFor } from './wait.mjs';

export const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

const packets = async (tab) => Object.values(await incoming(tab)).reduce((sum, s) => sum + (s.kind === 'audio' ? s.packets : 0), 0);

/** Waits until one hears the other, and some packets came since this was asked: what is still in the ear does not count. */
export async function hearsAnew(tab, other, guard = 60_000) {
  let before = await packets(tab).catch(() => 0);
  await waitFor(
    async () => {
      const now = await packets(tab);
      // Another connection counts from nought.
      before = Math.min(before, now);
      return now >= before + 5 && hears(tab, voiceOf(other.n));
    },
    {
      ...{ what: `${tab.browser} ${tab.n} to hear ${other.n}`, guard, every: 20 },
      explain: async () => `${await said(tab)} ${JSON.stringify(await tab.evaluate(() => [window.salon.pc?.connectionState, window.salon.banner]))}`,
    },
  );
}

/** Waits until two hear each other; gives the time since `began`. */
export async function both(a, b, began = performance.now(), guard = 60_000) {
  await Promise.all([hearsAnew(a, b, guard), hearsAnew(b, a, guard)]);
  return performance.now() - began;
}

/** Waits until somebody is heard no more, however often one listens for half a second. */
export async function silent(tab, other) {
  const quiet = async () => {
    for (let n = 0; n < 5; n++) {
      if (await hears(tab, voiceOf(other.n))) return false;
      await rest(100);
    }
    return true;
  };
  await waitFor(quiet, { what: `${tab.n} to hear ${other.n} no more`, every: 20 });
}
