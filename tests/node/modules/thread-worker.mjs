// A thread, in Node or in a browser: instances of its own of every module, on the memory that all threads share.

const port = globalThis.postMessage ? globalThis : (await import('node:worker_threads')).parentPort;

port.onmessage = async ({ data: { layout, thread, times, start, threads } }) => {
  const { instantiate } = await import(layout);
  const { instances, startThread } = await instantiate({}, { thread });

  // All begin together, so that they do work at the same time.
  Atomics.add(start, 0, 1);
  while (Atomics.load(start, 0) < threads);

  const report = {};
  for (const [name, { exports }] of Object.entries(instances)) {
    exports.count_up(times);
    report[name] = {
      ownCount: exports.get_own_count(),
      ownCountAddress: exports.own_count_address(),
      stackAddress: exports.stack_address(),
    };
  }
  try {
    startThread();
  } catch ({ message }) {
    report.message = message;
  }
  port.postMessage(report);
};
