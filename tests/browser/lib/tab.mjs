// One page in one browser, whichever it is.
//
// Both drivers agree on `evaluate(function, one argument)`, `goto`, `click` and `close`; what they don't agree on is here.

/** What runs in each page before its own scripts: no filter between the fake microphone and the encoder, which would take a steady tone for noise. */
export function plainMicrophone() {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wish) => {
    if (!wish?.audio) return ask(wish);
    const audio = { ...(wish.audio === true ? {} : wish.audio), echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    return ask({ ...wish, audio });
  };
}

export class Tab {
  /** `driver`: `resize(width, height)`, `kill()` and `close()`, as the browser does them. */
  constructor(page, { browser, pid, driver }) {
    this.page = page;
    this.browser = browser;
    this.pid = pid;
    this.console = [];
    this.errors = [];
    this.#driver = driver;
    page.on('console', (m) => this.console.push(`${m.type()}: ${m.text()}`));
    page.on('pageerror', (e) => this.errors.push(e.message ?? String(e)));
  }

  #driver;

  async goto(url) {
    await this.page.goto(url, { waitUntil: 'load', timeout: 60_000 });
    return this;
  }

  /** Runs `f(argument)` in the page; both travel as JSON. */
  evaluate(f, argument) {
    return this.page.evaluate(f, argument);
  }

  click(selector) {
    return this.page.click(selector);
  }

  reload() {
    return this.page.reload({ waitUntil: 'load', timeout: 60_000 });
  }

  /** The size of the window's content, in CSS pixels. */
  resize(width, height) {
    return this.#driver.resize(width, height);
  }

  /** Ends the whole browser without a word (SIGKILL), as a crash or a pulled plug would. */
  kill() {
    return this.#driver.kill();
  }

  /** Closes the browser in good order. */
  close() {
    return this.#driver.close();
  }
}
