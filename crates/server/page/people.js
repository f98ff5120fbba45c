// The list of who is here. Rows keep their elements: whoever stands on one with the keyboard stays there.

import { t } from './words.js';

const $ = (id) => document.getElementById(id);

export class People {
  #rows = new Map();
  #moderation;

  constructor(moderation) {
    this.#moderation = moderation;
  }

  /** Shows these people, in order; `hand`: the place in the line of raised hands, from 1, or 0. */
  show(list, me) {
    const focused = document.activeElement;
    for (const [id, row] of this.#rows) {
      if (list.some((p) => p.id === id)) continue;
      row.root.remove();
      this.#rows.delete(id);
    }
    for (const [at, p] of list.entries()) {
      const row = this.#rows.get(p.id) ?? this.#make(p, p.id === me);
      if ($('people').children[at] !== row.root) $('people').insertBefore(row.root, $('people').children[at] ?? null);
      this.#fill(row, p, p.id === me);
    }
    // A row that was moved lets go of the focus; with one that is gone, what is done in this list is done.
    if (document.activeElement !== focused) (focused?.isConnected ? focused : $('b-side-close')).focus();
    $('people-count').textContent = `(${list.length})`;
  }

  #make(person, self) {
    const make = (tag, cls) => Object.assign(document.createElement(tag), { className: cls });
    const row = { root: make('li', ''), hand: make('span', 'queue'), name: make('span', 'who'), states: make('span', 'states') };
    const text = make('span', 'person');
    text.append(row.name, ' ', row.states);
    row.root.append(row.hand, text);
    const tools = self ? null : this.#moderation.tools(person.id);
    if (tools) {
      row.update = tools.update;
      row.root.append(tools.root);
    }
    this.#rows.set(person.id, row);
    return row;
  }

  #fill(row, p, self) {
    row.hand.textContent = p.hand || '';
    row.name.textContent = self ? `${p.name} (${t('you')})` : p.name;
    const states = [
      ...[p.role !== 'member' && t(p.role), p.muted.includes('microphone') && t('muted'), p.sources.includes('screen') && t('shares')],
      ...[p.hand && t('hand-raised'), p.away && t('away')],
    ];
    row.states.textContent = states.filter(Boolean).join(', ');
    row.update?.(p);
  }
}
