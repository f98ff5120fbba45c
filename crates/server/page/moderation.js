// What moderators do: the door, who knocks, mute, remove, end.

import { t } from './words.js';

const $ = (id) => document.getElementById(id);
/** How long a button that cannot be taken back waits for its second click. */
const SURE = 4_000;

const button = (text, act) => {
  const b = document.createElement('button');
  b.type = 'button';
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

  constructor(send) {
    this.#send = send;
    $('b-lock').onclick = () => send('lock', { locked: !this.#locked });
    $('b-hush-all').onclick = () => send('hush', { source: 'microphone' });
  }

  welcome({ role, locked, knocks, boot }) {
    const restarted = this.#boot !== null && boot !== this.#boot;
    this.#boot = boot;
    this.#may = role === 'moderator';
    $('door').hidden = !this.#may;
    twice($('b-end'), () => this.#send('end'));
    // The server forgets with its restart who was behind which door: whoever had locked it locks it again.
    if (this.#may && restarted && this.#locked && !locked) this.#send('lock', { locked: true });
    else this.doorIs(locked, knocks);
  }

  /** The door is locked, or not; these wait, where that was told. */
  doorIs(locked, knocks) {
    this.#locked = locked;
    $('b-lock').textContent = t(locked ? 'unlock' : 'lock');
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

  /** What a moderator may do to somebody. */
  buttons(person, self) {
    if (!this.#may || self) return [];
    const id = { person: person.id };
    const hush = button(t('hush'), () => this.#send('hush', { ...id, source: 'microphone' }));
    hush.disabled = person.muted.includes('microphone');
    const remove = twice(button(t('remove')), () => this.#send('remove', id));
    for (const b of [hush, remove]) b.setAttribute('aria-label', `${b.textContent}: ${person.name}`);
    return [hush, remove];
  }

  #draw() {
    const answer = (knock, admit) => this.#send('admit', { knock, admit });
    $('doorbell').replaceChildren(
      ...[...this.#knocks].map(([id, name]) => {
        const li = document.createElement('li');
        const who = document.createElement('span');
        who.textContent = t('knocks', { name });
        li.append(who, button(t('let-in'), () => answer(id, true)), button(t('refuse'), () => answer(id, false)));
        return li;
      }),
    );
    $('doorbell').hidden = this.#knocks.size === 0;
  }
}
