import cliProgress from 'cli-progress';

const words = {
  wait: 'Waiting for another process that sets up LibTorch',
  fetch: 'Fetching LibTorch',
  unpack: 'Unpacking LibTorch',
};

/**
 * Shows the progress of a set-up on stderr: a bar in a terminal, else one line a phase.
 * @returns {{ update: (progress: import('./setup.mjs').Progress) => void, stop: () => void }}
 */
export function showProgress() {
  const bar = new cliProgress.SingleBar({
    format: '{phase} [{bar}] {megabytes} MB',
    hideCursor: true,
    stream: process.stderr,
  });
  /** @type {string | undefined} */
  let phase;
  const drawsBar = process.stderr.isTTY;

  return {
    update({ phase: now, done, total }) {
      const payload = { phase: words[now], megabytes: Math.round(done / 1e6) };
      if (now !== phase) {
        phase = now;
        bar.stop();
        if (drawsBar) bar.start(total, done, payload);
        else process.stderr.write(`${words[now]} …\n`);
      } else if (drawsBar) {
        bar.update(done, payload);
      }
    },
    stop() {
      bar.stop();
    },
  };
}
