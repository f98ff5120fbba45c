// The talk beside: what was written, and how much of it while the side was shut.

import { t } from './words.js';

const $ = (id) => document.getElementById(id);

export class Chat {
  #unread = 0;

  /** `send(text)` says something. */
  constructor(send) {
    $('chat-form').onsubmit = (event) => {
      event.preventDefault();
      const text = $('chat-text').value.trim();
      if (text) send(text);
      $('chat-text').value = '';
    };
  }

  /** Somebody wrote. Text is only ever text. */
  came(name, text, at) {
    const line = document.createElement('li');
    const who = document.createElement('b');
    who.textContent = name;
    $('chat-empty').hidden = true;
    line.title = new Date(at).toLocaleTimeString();
    line.append(who, text);
    $('chat-log').append(line);
    line.scrollIntoView({ block: 'nearest' });
    if ($('side').hidden) this.#count(this.#unread + 1);
  }

  /** All has been seen. */
  read() {
    this.#count(0);
  }

  #count(n) {
    this.#unread = n;
    $('unread').textContent = n;
    $('unread').hidden = n === 0;
    $('b-side').setAttribute('aria-label', n ? t('unread', { n }) : t('people-and-chat'));
  }
}
