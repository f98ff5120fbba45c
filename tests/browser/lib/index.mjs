// All that a browser test needs.

export * from './axe.mjs';
export * from './chromium.mjs';
export * from './crowd.mjs';
export * from './firefox.mjs';
export * from './hearing.mjs';
export * from './keyboard.mjs';
export * from './measure.mjs';
export * from './media.mjs';
export * from './network.mjs';
export { signalTree } from './process.mjs';
export * from './pulse.mjs';
export * from './room.mjs';
export * from './server.mjs';
export * from './stage.mjs';
export * from './wait.mjs';
