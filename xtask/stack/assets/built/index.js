// Replaces a build's output while the types of the entries are checked.
export const start = () => () => new Response();
