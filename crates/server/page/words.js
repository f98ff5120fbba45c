// What the page says, in the language that its reader prefers among those that it speaks.

const LANGUAGES = ['en', 'fr'];

export const language = (navigator.languages ?? [navigator.language]).map((l) => l.slice(0, 2)).find((l) => LANGUAGES.includes(l)) ?? 'en';

// Only the language that is spoken travels.
const { default: words } = await import(`./words-${language}.js`);

/** A sentence, with `{name}` replaced by `values.name`. An unknown key is shown as it is: better than nothing. */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

/** Whether there is a sentence for a key. */
export const has = (key) => key in words;

/** Fills all elements that name their words. */
export function translate(root = document) {
  document.documentElement.lang = language;
  for (const e of root.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
  for (const e of root.querySelectorAll('[data-t-label]')) {
    const label = t(e.dataset.tLabel);
    e.setAttribute('aria-label', label);
    if (e.tagName === 'BUTTON') e.title = e.dataset.key ? `${label} (${e.dataset.key})` : label;
    if (e.dataset.key) e.setAttribute('aria-keyshortcuts', e.dataset.key);
    if ('placeholder' in e) e.placeholder = t(e.dataset.tLabel);
  }
}
