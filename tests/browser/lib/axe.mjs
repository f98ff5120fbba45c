// What axe finds wrong with a page, for those who don't use a mouse, don't see it, or see little.

import { createRequire } from 'node:module';

const axe = createRequire(import.meta.url)('axe-core').source;

/** What it finds with what is shown now, in both schemes. */
export async function violations(tab) {
  const found = [];
  for (const colorScheme of ['light', 'dark']) {
    await tab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    if (!(await tab.evaluate(() => 'axe' in window))) await tab.page.evaluate(axe);
    const nodes = await tab.evaluate(async () => {
      const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
      return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary}`));
    });
    found.push(...nodes.map((node) => `${colorScheme}: ${node}`));
  }
  return found;
}

/** The same in several sizes, of which the first is the one that stays. */
export async function violationsInSizes(tab, what, sizes) {
  const found = [];
  for (const size of sizes) {
    await tab.resize(...size);
    found.push(...(await violations(tab)).map((v) => `${what}, ${size[0]}, ${v}`));
  }
  await tab.resize(...sizes[0]);
  return found;
}
