// The document's script. It asks for what this visit needs together with the page's code, not one request after it.

const CHOICE = "sound-whiskers.language";

/** Returns the language that was chosen here, otherwise the browser's, otherwise English. */
function languageOfVisit(): string {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem(CHOICE);
  } catch {
    // Starts as if no language had been chosen.
  }
  const wanted =
    chosen ?? navigator.languages.find((it) => /^(en|pl)\b/i.test(it)) ?? "en";
  return /^pl/i.test(wanted) ? "pl" : "en";
}

/** The code that needs a file asks for it again, and handles its absence. */
const ask = (file: Promise<unknown>) => void file.catch(() => {});

document.documentElement.lang = languageOfVisit();
if (document.documentElement.lang === "pl") ask(import("./i18n/polish.ts"));
// Otherwise the browser asks for the heading's font only once there is a heading. With Polish it would delay the texts.
else ask(document.fonts.load('700 1em "Bricolage Grotesque"'));
if (location.hash.length > 2 || location.search)
  ask(import("./pages/later.ts"));
void import("./main.tsx");
