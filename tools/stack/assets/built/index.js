// Stands in for what a build makes while the types of the entries are checked.
export const start = () => () => new Response();
