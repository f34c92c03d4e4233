// What three modules with interfaces of wasm-bindgen's do on one memory, with a plain one. For Node and browsers.
export async function check({ words, store, ticker }, memory) {
  const wrong = [];
  const is = (what, found, right) => {
    if (JSON.stringify(found) !== JSON.stringify(right))
      wrong.push(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(right)}`);
  };
  const fails = async f => {
    try {
      return `no error, but ${await f()}`;
    } catch (error) {
      return String(error);
    }
  };
  const pages = memory.buffer.byteLength;

  is('start functions run once', words.starts(), 1);
  is('strings', words.shout('straße'), 'STRASSE');
  const list = new words.Words();
  is('errors', await fails(() => list.join()), 'no words');
  const expected = [];
  for (let i = 0; i < 2000; i++) {
    expected.push(`word ${i} ${'x'.repeat(i)}`); // the heap grows past the pages that were there
    list.add(expected[i]);
  }
  is('structs', list.join() === expected.join(' '), true);
  is('the memory grew', memory.buffer.byteLength > pages, true);
  list.free();

  is('serde, and a pointer to another module', store.put({ title: 'three little words', tags: ['a', 'ü'] }), 1);
  is('serde', store.get(0), { title: 'three little words', tags: ['a', 'ü'], words: 3 });
  is('serde, and what is not there', store.get(1), undefined);
  is('serde\'s errors', (await fails(() => store.put({ title: 3 }))).includes('invalid type'), true);
  is('vectors', [...store.scaled(Float64Array.of(1, 2.5), 2)], [2, 5]);
  is('a pointer from a module in C', store.greeting_of_greeting(), 'hello from a module of its own');

  const tick = ticker.ticker();
  is('closures', [tick(2), tick(3)], [2, 5]);
  is('modules that import from each other', [words.ticks_of_ticker(), ticker.words_in('three little words')], [5, 3]);
  is('functions of JavaScript', ticker.each(['a', 'b'], text => words.shout(text)), ['A', 'B']);
  is('promises', await ticker.later(Promise.resolve('now')), 'now, later');
  is('rejected promises', await fails(() => ticker.later(Promise.reject(new Error('never')))), 'Error: never');
  const value = { any: 'value' };
  is('values that are kept', ticker.kept(ticker.keep(value)) === value, true);
  return wrong;
}
