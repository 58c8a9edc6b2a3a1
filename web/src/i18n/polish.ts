// All of Polish, as one file to fetch.

export { failuresPl } from "./failures-pl.ts";
export { pl } from "./pl.ts";
