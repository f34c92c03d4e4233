// In the browser: the page of examples/load-time, as somebody who presses its button.
import { loadAnother } from './main.mjs';

export const result = await loadAnother();
