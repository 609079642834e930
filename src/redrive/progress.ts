import { Presets, SingleBar } from 'cli-progress';

/** A bar on a terminal, on standard error; nothing elsewhere. */
export interface Progress {
  show(done: number, total: number): void;
  stop(): void;
}

/** A bar that appears when there is something to show. */
export function createProgress(): Progress {
  const bar = new SingleBar(
    {
      format: ' {bar} {percentage}% of the dead letters read',
      hideCursor: true,
      clearOnComplete: true,
      barsize: 30,
    },
    Presets.shades_classic,
  );
  let isShown = false;
  return {
    show(done, total) {
      if (!isShown) bar.start(total, 0);
      isShown = true;
      bar.update(done);
    },
    stop() {
      if (isShown) bar.stop();
    },
  };
}
