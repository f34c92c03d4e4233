import { instantiate } from './wasm/layout.mjs';

// the modules of both teams, on one memory
const { bindings: { search, notes } } = await instantiate();

const [form, text, query, count, found] = ['add', 'text', 'query', 'count', 'found'].map(id => document.getElementById(id));
const list = new notes.Notes(number => {
  count.textContent = `${number} notes, ${search.size()} words`;
});

function show() {
  found.replaceChildren(...Array.from(search.find(query.value), number => {
    const item = document.createElement('li');
    item.textContent = list.get(number);
    return item;
  }));
}

query.addEventListener('input', show);
form.addEventListener('submit', event => {
  event.preventDefault();
  list.add(text.value);
  form.reset();
  show();
});
