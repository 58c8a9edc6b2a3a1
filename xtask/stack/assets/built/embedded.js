// Replaces a build's output while the types of the entries are checked.
export const wasm = '';
export const role = null;
export const variables = [''];
