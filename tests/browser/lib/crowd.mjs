// People by the load tool, and what a browser spends on them.

import { readFileSync, readdirSync } from 'node:fs';

import { start } from './process.mjs';
import { waitFor } from './wait.mjs';

/**
 * Starts the load tool, and waits until all of its people are in the room. `binary`: default `$SALON_LOAD`. `room`: begin of the room's name; its whole
 * name is in the answer. `args`: more of its options.
 */
export async function startLoad(stage, meet, { binary, room = 'load', people = 29, args = [] } = {}) {
  const program = binary ?? process.env.SALON_LOAD;
  if (!program) throw new Error('set SALON_LOAD to the path of the load program');
  const name = `${room}-1`;
  const load = start(stage, program, ['--server', `${meet.url}/`, '--room', room, '--people', String(people), '--seconds', '3600', '--bind', '127.0.0.1', ...args]);
  const there = async () => load.exit || (await meet.api(`/api/rooms/${name}`)).participants.length === people;
  await waitFor(there, { what: `${people} people of the load tool`, explain: () => load.lines.join('\n') });
  if (load.exit) throw new Error(`the load tool ended: ${load.lines.join('\n')}`);
  return Object.assign(load, { room: name });
}

/** Processor seconds of a Chromium so far: of its pages (`renderer`), and of all its processes; asked by the function that this gives. */
export async function cpuOf(tab) {
  const of = (pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    // proc(5): behind the name, the parent is the second field, user and system time in ticks of 10 ms the twelfth and thirteenth.
    return { parent: Number(fields[1]), seconds: (Number(fields[11]) + Number(fields[12])) / 100 };
  };
  const kind = (pid) => /--type=(\S+)/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))?.[1] ?? 'browser';
  return () => {
    const all = new Map();
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)) {
      try {
        all.set(pid, { ...of(pid), kind: kind(pid) });
      } catch {
        // It has ended meanwhile.
      }
    }
    const ours = (pid) => pid === tab.pid || (all.has(pid) && pid > 1 && ours(all.get(pid).parent));
    const sum = (which) => [...all].filter(([pid, p]) => ours(pid) && which(p)).reduce((s, [, p]) => s + p.seconds, 0);
    return { renderer: sum((p) => p.kind === 'renderer'), all: sum(() => true) };
  };
}
