// What goes wrong is said with a code, for programs, and a message that says what to do, for people.

export class WasmShareError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'WasmShareError';
    this.code = code;
  }
}

export const fail = (code, message) => {
  throw new WasmShareError(code, message);
};
