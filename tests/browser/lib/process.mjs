// Programs that a test starts and ends, by their own id only.

import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** Lines of output that are kept for the error message. */
const KEPT = 2000;

/** Starts a program; it is ended when the stage is cleared. `lines` holds the end of its output. */
export function start(stage, command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const program = { child, pid: child.pid, lines: [], exit: null, stop };
  const ended = new Promise((resolve) => {
    child.once('error', (e) => resolve((program.exit = { error: e.message })));
    child.once('exit', (code, signal) => resolve((program.exit = { code, signal })));
  });
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      program.lines.push(...lines);
      program.lines.splice(0, Math.max(0, program.lines.length - KEPT));
    });
  }

  async function stop(signal = 'SIGTERM') {
    if (program.exit) return program.exit;
    child.kill(signal);
    const kill = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(kill);
    return program.exit;
  }

  stage.onClear(() => stop());
  return program;
}

/** Sends a signal to a program and to all that it started. */
export function signalTree(pid, signal) {
  const children = new Map();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = Number(readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ')[1].split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // It has ended meanwhile.
    }
  }
  const tree = [pid];
  for (const one of tree) tree.push(...(children.get(one) ?? []));
  for (const one of tree) {
    try {
      process.kill(one, signal);
    } catch {
      // Likewise.
    }
  }
}
