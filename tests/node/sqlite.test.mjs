// Real code: SQLite with wasi-libc, placed between other modules, does its work and keeps to its place.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { WASI } from 'node:wasi';
import { combine, instantiateAll, liesInside, linkFreestanding, linkReactor, moduleNamed, scratchDirectory, stringAt,
  testsDirectory, tool } from './tools.mjs';

const directory = scratchDirectory();
const keeper = (name, sentence) =>
  linkFreestanding('keeper.c', join(directory, `${name}-input.wasm`), `-DSENTENCE=${JSON.stringify(sentence)}`);

const names = keeper('names', 'CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT); '
  + 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) '
  + "INSERT INTO people SELECT i, 'person ' || i FROM n;");
const orders = keeper('orders', 'CREATE TABLE orders(person INTEGER REFERENCES people(id), amount INTEGER); '
  + 'INSERT INTO orders SELECT id, id * 3 FROM people; CREATE INDEX by_person ON orders(person);');
const behind = keeper('behind', "SELECT count(*) || ' ' || sum(amount) || ' ' || min(name) || ' ' || max(name) "
  + 'FROM people JOIN orders ON orders.person = people.id;');
const sqlite = linkReactor('CLANG', join(directory, 'sqlite-input.wasm'), `-I${tool('SQLITE_DIRECTORY')}`,
  join(testsDirectory, 'sqlite', 'database.c'), tool('SQLITE_OBJECT'), '-lwasi-emulated-getpid',
  '-lwasi-emulated-mman');

test('SQLite in a shared memory', async t => {
  const layout = await combine(directory, [`names=${names}`, `orders=${orders}`, `sqlite=${sqlite}`,
    `behind=${behind}`]);
  const wasi = new WASI({ version: 'preview1' });
  const { memory, ...modules } = await instantiateAll(layout, { wasi_snapshot_preview1: wasi.wasiImport });
  const keepers = [modules.names, modules.orders, modules.behind];
  keepers.forEach((keeper, seed) => keeper.fill(seed));
  const assertUntouched = () => keepers.forEach((keeper, seed) => assert.equal(keeper.count_changes(seed), 0));
  assertUntouched();

  // WASI wants to see the memory among the exports; ours is an import.
  wasi.initialize({ exports: { ...modules.sqlite, memory } });
  const { open_database, query, allocate, release, used_memory, close_database } = modules.sqlite;
  const answerTo = sql => stringAt(memory, query(sql));
  const ask = sql => {
    const bytes = new TextEncoder().encode(sql + '\0');
    const address = allocate(bytes.length);
    assert.ok(address >= layout.heapBase, 'malloc must hand out memory above all modules');
    new Uint8Array(memory.buffer).set(bytes, address);
    const answer = answerTo(address);
    release(address);
    return answer;
  };

  await t.test('opens an in-memory database', () => {
    assert.equal(open_database(), 0);
    assert.match(ask('SELECT sqlite_version();'), /^3\.\d+\.\d+$/);
    assert.ok(liesInside(query(modules.names.sentence()), moduleNamed(layout, 'sqlite')));
  });

  await t.test('runs statements that lie in other modules: a join over 10,000 rows', () => {
    assert.equal(answerTo(modules.orders.sentence()), '');
    assert.equal(answerTo(modules.behind.sentence()), '10000 150015000 person 1 person 9999');
  });

  await t.test('formats, sorts and searches', () => {
    assert.equal(ask('SELECT group_concat(name, \', \') FROM (SELECT name FROM people ORDER BY id DESC LIMIT 2);'),
      'person 10000, person 9999');
    assert.equal(ask("SELECT printf('%.3f %s', 2.0 / 3, upper(name)) FROM people WHERE id = 77;"),
      '0.667 PERSON 77');
    assert.match(ask('SELECT * FROM nowhere;'), /^error: no such table: nowhere$/);
  });

  await t.test('passes PRAGMA integrity_check', () => {
    assert.equal(ask('PRAGMA integrity_check;'), 'ok');
  });

  await t.test('leaves the other modules alone, however much it allocates', () => {
    assert.ok(used_memory() > 500_000);
    assertUntouched();
    assert.equal(close_database(), 0);
    assertUntouched();
  });
});
