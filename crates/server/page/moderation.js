// What moderators do: the door, who knocks, mute, remove, end. What everybody sees of it: whether the door is locked.

import { t } from './words.js';

const $ = (id) => document.getElementById(id);
/** How long a button that cannot be taken back waits for its second click. */
const SURE = 4_000;

const button = (text, act, cls = 'plain') => {
  const b = document.createElement('button');
  b.type = 'button';
  b.className = cls;
  b.textContent = text;
  b.onclick = act;
  return b;
};

/** Asks once more before something that cannot be taken back. */
function twice(b, act) {
  const text = b.textContent;
  let timer = null;
  b.onclick = () => {
    if (timer) return act();
    b.textContent = t('sure');
    timer = setTimeout(() => {
      timer = null;
      b.textContent = text;
    }, SURE);
  };
  return b;
}

export class Moderation {
  #send;
  #may = false;
  #locked = false;
  /** Which start of the server the last welcome came from. */
  #boot = null;
  /** Who waits at the door: number → name. */
  #knocks = new Map();
  #rows = new Map();

  constructor(send) {
    this.#send = send;
    $('b-lock').onclick = () => send('lock', { locked: !this.#locked });
    $('b-hush-all').onclick = () => send('hush', { source: 'microphone' });
    twice($('b-end'), () => send('end'));
  }

  welcome({ role, locked, knocks, boot }) {
    const restarted = this.#boot !== null && boot !== this.#boot;
    this.#boot = boot;
    this.#may = role === 'moderator';
    $('door').hidden = !this.#may;
    // The server forgets with its restart who was behind which door: whoever had locked it locks it again.
    if (this.#may && restarted && this.#locked && !locked) this.#send('lock', { locked: true });
    else this.doorIs(locked, knocks);
  }

  /** The door is locked, or not; these wait, where that was told. */
  doorIs(locked, knocks) {
    this.#locked = locked;
    $('b-lock').textContent = t(locked ? 'unlock' : 'lock');
    $('locked').hidden = !locked;
    if (knocks) this.#knocks = new Map(knocks.map(({ id, name }) => [id, name]));
    this.#draw();
  }

  knocked({ id, name }) {
    this.#knocks.set(id, name);
    this.#draw();
  }

  answered(id) {
    this.#knocks.delete(id);
    this.#draw();
  }

  /** What a moderator may do to somebody, behind a button: `{ root, update(person) }`; null for those who may not. */
  tools(id) {
    if (!this.#may) return null;
    const root = document.createElement('div');
    root.className = 'tools';
    const shelf = document.createElement('div');
    shelf.hidden = true;
    shelf.id = `tools-${id}`;
    const opener = button('', () => {
      shelf.hidden = !shelf.hidden;
      opener.setAttribute('aria-expanded', String(!shelf.hidden));
    }, '');
    opener.dataset.icon = 'more';
    opener.setAttribute('aria-expanded', 'false');
    opener.setAttribute('aria-controls', shelf.id);
    const sources = { microphone: ['hush', 'unhush'], camera: ['hush-camera', 'unhush-camera'], screen: ['hush-screen', 'hush-screen'] };
    const hush = Object.entries(sources).map(([source, words]) => {
      const b = button('', () => b.getAttribute('aria-disabled') !== 'true' && this.#send('hush', { person: id, source, lift: b.lifts }));
      return [source, words, b];
    });
    const remove = twice(button(t('remove'), null, 'plain grave'), () => this.#send('remove', { person: id }));
    shelf.append(...hush.map(([, , b]) => b), remove);
    root.append(opener, shelf);
    return {
      root,
      update: (person) => {
        opener.setAttribute('aria-label', t('tools-for', { name: person.name }));
        opener.title = t('tools-for', { name: person.name });
        for (const [source, [mute, lift], b] of hush) {
          const muted = person.muted.includes(source);
          b.hidden = !person.sources.includes(source);
          // What comes by WHIP has no button of its own; everybody else lifts it themselves.
          b.lifts = muted && person.via === 'whip';
          b.textContent = t(b.lifts ? lift : mute);
          // Not `disabled`: that would take the focus away from whoever has just pressed it.
          b.setAttribute('aria-disabled', String(muted && !b.lifts));
        }
      },
    };
  }

  /** A row for each who waits. Those that stay keep their elements; where the focus was on one that goes, the next one has it. */
  #draw() {
    const bell = $('doorbell');
    const answers = bell.contains(document.activeElement);
    for (const [id, row] of this.#rows) {
      if (this.#knocks.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    for (const [id, name] of this.#knocks) {
      if (this.#rows.has(id)) continue;
      this.#rows.set(id, this.#row(id, name));
      bell.append(this.#rows.get(id));
    }
    bell.hidden = this.#knocks.size === 0;
    if (answers && !bell.contains(document.activeElement)) bell.querySelector('button')?.focus();
  }

  #row(knock, name) {
    const row = document.createElement('li');
    const who = document.createElement('span');
    who.textContent = t('knocks', { name });
    const answer = (admit) => this.#send('admit', { knock, admit });
    const answers = [button(t('let-in'), () => answer(true), 'primary'), button(t('refuse'), () => answer(false))];
    for (const b of answers) b.setAttribute('aria-label', `${b.textContent}: ${name}`);
    row.append(who, ...answers);
    return row;
  }
}
