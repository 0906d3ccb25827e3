// Work in turns: what is many small things is done one a turn, and between two the browser may answer its reader.

const waiting: (() => void)[] = [];
const channel = typeof MessageChannel === 'undefined' ? null : new MessageChannel();
if (channel) {
  channel.port1.onmessage = () => {
    waiting.shift()?.();
    if (waiting.length > 0) channel.port2.postMessage(null);
  };
}

/** Resolves when it is one's turn: at once in the browser's next turn, unless others came before. */
export function turn(): Promise<void> {
  return new Promise((done) => {
    waiting.push(done);
    if (!channel) setTimeout(() => waiting.shift()?.());
    else if (waiting.length === 1) channel.port2.postMessage(null);
  });
}
