// A page by its keyboard alone.

import assert from 'node:assert/strict';

/** More controls than any page of ours shows. */
const MOST = 80;

export class Keyboard {
  #tab;

  constructor(tab) {
    this.#tab = tab;
  }

  strike(key) {
    return this.#tab.page.keyboard.press(key);
  }

  type(text) {
    return this.#tab.page.keyboard.type(text);
  }

  /** All at once, as from the clipboard. */
  paste(text) {
    return this.#tab.page.keyboard.insertText(text);
  }

  /** What has the focus: its name, and whether one sees that it has it. Of the document itself the name is `null`. */
  focused() {
    return this.#tab.evaluate(() => {
      const e = document.activeElement;
      const style = getComputedStyle(e);
      const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
      const pick = e.matches('.pick') && `${e.closest('[data-key]').dataset.key} pick`;
      return { name: e === document.body ? null : e.id || pick || e.getAttribute('aria-label') || e.textContent, outlined };
    });
  }

  /** The names of all controls that are shown, but for the tiles', inside `selector`. */
  shown(selector = 'body') {
    return this.#tab.evaluate((selector) => {
      const all = [...document.querySelector(selector).querySelectorAll('button, input, select, [tabindex="0"]')];
      return all.filter((e) => e.checkVisibility() && !e.disabled && !e.closest('.tile')).map((e) => e.id || e.getAttribute('aria-label') || e.textContent);
    }, selector);
  }

  /** Walks with Tab (or `key`) from where the focus is, once round, through all that can be reached; each must show that it has the focus. */
  async round(key = 'Tab') {
    const names = [];
    for (let steps = 0; steps < MOST; steps++) {
      await this.strike(key);
      const { name, outlined } = await this.focused();
      // Behind the last one comes the browser's own, for which the document stands here, and then the first one.
      if (name === null) continue;
      if (names.includes(name)) break;
      assert.ok(outlined, `${name} shows that it has the focus`);
      names.push(name);
    }
    return names;
  }

  /** The same from the document's beginning. */
  async walk() {
    await this.#tab.evaluate(() => document.activeElement.blur());
    return this.round();
  }

  /** Walks to a control from where the focus is. */
  async to(name, key = 'Tab') {
    for (let steps = 0; steps < MOST; steps++) {
      if ((await this.focused()).name === name) return;
      await this.strike(key);
    }
    throw new Error(`${name} cannot be reached; there is ${await this.shown()}`);
  }

  /** Walks to a control, and presses it. */
  async press(name, key = 'Enter') {
    await this.to(name);
    await this.strike(key);
  }
}
