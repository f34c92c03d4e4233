// Four threads count in two modules: what Node and the browser do alike. `runWorker` sends a worker its message and
// gives back its answer.

export async function runFourThreads(layoutUrl, runWorker) {
  const threads = 4, times = 50_000;
  const layout = await import(layoutUrl);
  const { instances, startThread, endThread } = await layout.instantiate();
  const start = new Int32Array(new SharedArrayBuffer(4));
  const started = Array.from({ length: threads }, startThread);
  let refused;
  try {
    startThread();
  } catch ({ message }) {
    refused = message;
  }
  const reports = await Promise.all(started.map(thread =>
    runWorker({ layout: layoutUrl, thread, times, start, threads })));
  endThread(started[2]);
  const again = startThread();

  const { threadBase, threadSize, threadStackSize } = layout;
  const inside = (address, base, size) => address >= base && address < base + size;
  return {
    totals: Object.values(instances).map(({ exports }) => [exports.get_total(), exports.get_bss_total()]),
    ownCounts: reports.flatMap(({ left, right }) => [left.ownCount, right.ownCount]),
    // of the first thread, which counted nothing
    firstOwnCounts: Object.values(instances).map(({ exports }) => exports.get_own_count()),
    bases: started.map(({ base }) => (base - threadBase) / threadSize),
    stacksInside: reports.every(({ left, right }, i) => [left, right].every(({ stackAddress }) =>
      inside(stackAddress, started[i].base, threadStackSize))),
    variablesInside: reports.every(({ left, right }, i) => [left, right].every(({ ownCountAddress }) =>
      inside(ownCountAddress, started[i].base + threadStackSize, threadSize - threadStackSize))),
    variablesApart: new Set(reports.flatMap(({ left, right }) => [left.ownCountAddress, right.ownCountAddress])).size,
    refused,
    refusedInWorker: new Set(reports.map(({ message }) => message)).size === 1 && reports[0].message,
    again: again.base === started[2].base,
  };
}

export const expected = {
  totals: [[201_000, 200_000], [201_000, 200_000]],
  ownCounts: Array(8).fill(50_007),
  firstOwnCounts: [7, 7],
  bases: [0, 1, 2, 3],
  stacksInside: true,
  variablesInside: true,
  variablesApart: 8,
  refused: 'there is room for 4 threads: combine with a larger --threads',
  refusedInWorker: 'the first thread hands out threads',
  again: true,
};
