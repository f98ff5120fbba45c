// A PulseAudio with a null sink: without an audio device Firefox's AudioContext stands still.

import { join } from 'node:path';

import { start } from './process.mjs';
import { waitFor } from './wait.mjs';
import { access } from 'node:fs/promises';

/** Starts one of its own, apart from any that runs; resolves with the environment that a browser needs to find it. */
export async function startPulse(stage) {
  const directory = await stage.directory('salon-pulse');
  const socket = join(directory, 'native');
  const environment = { ...process.env, HOME: directory, XDG_RUNTIME_DIR: directory, XDG_CONFIG_HOME: directory, PULSE_RUNTIME_PATH: directory };
  const pulse = start(
    stage,
    'pulseaudio',
    [
      ...['-n', '--daemonize=no', '--use-pid-file=no', '--exit-idle-time=-1', '--disable-shm=yes', '--log-target=stderr', '--log-level=warn'],
      '--load=module-null-sink sink_name=salon rate=48000',
      `--load=module-native-protocol-unix auth-anonymous=1 socket=${socket}`,
    ],
    { env: environment },
  );
  await waitFor(() => (pulse.exit ? true : access(socket).then(() => true)), { what: 'PulseAudio', guard: 15_000 });
  if (pulse.exit) throw new Error(`PulseAudio did not start: ${pulse.lines.join('\n')}`);
  return { PULSE_SERVER: `unix:${socket}` };
}
