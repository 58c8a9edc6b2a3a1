/** Returns a random UUID; `randomUUID` is missing on pages without TLS. */
export function newUuid(): string {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
  const hex = bytes.map((it) => it.toString(16).padStart(2, "0"));
  // The digits that say version 4, and its variant.
  return hex.join("").replace(/^(.{8})(.{4}).(.{3}).(.{3})/, "$1-$2-4$3-a$4-");
}
