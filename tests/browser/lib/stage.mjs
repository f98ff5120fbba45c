// What a test has started, so that it ends with the test.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Stage {
  #ends = [];

  /** A stage that is cleared when the test `t` ends, whether it passed or not. */
  static of(t) {
    const stage = new Stage();
    t.after(() => stage.clear());
    return stage;
  }

  /** `end` is called when the stage is cleared, the last one first. */
  onClear(end) {
    this.#ends.push(end);
  }

  /** A directory of its own, removed at the end. */
  async directory(name = 'salon') {
    const path = await mkdtemp(join(tmpdir(), `${name}-`));
    this.onClear(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
    return path;
  }

  async clear() {
    for (let end; (end = this.#ends.pop()); ) {
      try {
        await end();
      } catch (e) {
        console.error(`while clearing: ${e.message}`);
      }
    }
  }
}
