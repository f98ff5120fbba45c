// Settings, help, and the question before leaving by a key. The browser's own dialogs: they keep the focus, and Escape closes them.

const $ = (id) => document.getElementById(id);

export class Dialogs {
  /** `leave()` is what the answer *leave* does; `opened(id)` is told of each that opens. */
  constructor({ leave, opened }) {
    this.#opened = opened;
    for (const dialog of document.querySelectorAll('dialog')) {
      dialog.querySelector('.close').onclick = () => dialog.close();
      // A click beside it. (A handler that gave `false` would take away what a click does by itself.)
      dialog.addEventListener('click', (event) => {
        if (event.target === dialog) dialog.close();
      });
    }
    $('really-leave').onclick = () => {
      $('leaving').close();
      leave();
    };
  }

  #opened;

  open(id) {
    if (Dialogs.any()) return;
    $(id).showModal();
    this.#opened(id);
  }

  static any() {
    return Boolean(document.querySelector('dialog[open]'));
  }

  static closeAll() {
    for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  }
}
