// About a result, its versions and earlier wishes.

export const tracksEn = (n: number) => (n === 1 ? "1 track" : `${n} tracks`);

export const changesEn = {
  result: {
    notSaved: "Not saved yet",
    refineLabel: "What should be different",
    refinePlaceholder: (n: number, isSome: boolean) =>
      `Change ${isSome ? "the other" : "all"} ${n} …`,
    refineGo: "Refine · uses 1",
    refineCost:
      "Makes the next version of this playlist and uses one of your AI playlists. Kept songs stay, and you can go back.",
    allKept: "Every song is kept. Unmark those that may change.",
    others: "Other songs, same wish · uses 1",
    again: "Use this wish again",
    chips: [
      "calmer",
      "more energetic",
      "less known",
      "more piano",
    ],
    fewer: (n: number, target: number) =>
      `${n === 1 ? "1 song" : `${n} songs`} instead of ${target}`,
    why: {
      completed: "",
      no_progress: "more that fit were not found",
      deadline: "the time was up",
      budget: "the search was at its limit",
      interrupted: "it was interrupted",
    },
    noRoom:
      "Your library is full, so this playlist is not saved. Delete another one, then save it.",
    ready: (name: string, n: number) => `${name} is ready: ${tracksEn(n)}.`,
  },
  versions: {
    title: "Versions",
    none: "Keep the songs that you like; the rest changes.",
    of: (n: number, count: number) => `Version ${n} of ${count}`,
    first: "As it began",
    others: "Other songs",
    back: (words: string) => `Back to: ${words}`,
    forth: (words: string) => `Forward to: ${words}`,
    oldest: "This is the first version",
    newest: "This is the last version",
    restored: (words: string) => `Now: ${words}.`,
  },
  wishes: {
    title: "Your recent wishes",
    kept: "Wishes are kept for 30 days to count what was used, then they are deleted.",
  },
};
