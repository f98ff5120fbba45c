// Waiting for something to become so. Guards are there to end a test that would hang; none says how fast a thing must be.

/** Rests for `ms` milliseconds. */
export const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Asks `condition` until its answer is truthy, and resolves with that answer.
 *
 * `what` is said in the error where `guard` milliseconds pass before; so is `explain(last)`, given the last answer. A condition that
 * throws counts as not yet so.
 */
export async function waitFor(condition, { what = 'the condition', guard = 30_000, every = 100, explain } = {}) {
  const end = performance.now() + guard;
  let last;
  let error;
  for (;;) {
    try {
      last = await condition();
      error = undefined;
      if (last) return last;
    } catch (e) {
      error = e;
    }
    if (performance.now() >= end) break;
    await rest(every);
  }
  const detail = explain ? await explain(last) : error?.message ?? JSON.stringify(last);
  throw new Error(`waited ${guard} ms for ${what}; last: ${detail}`, { cause: error });
}
