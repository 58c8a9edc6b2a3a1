import type { changesEn } from "./changes-en.ts";
import { tracksPl } from "./count.ts";

export const changesPl: typeof changesEn = {
  result: {
    notSaved: "Jeszcze niezapisana",
    refineLabel: "Co ma być inaczej",
    refinePlaceholder: (n, isSome) =>
      `Zmień ${isSome ? "resztę" : "całość"} (${n}) …`,
    refineGo: "Zmień · zużywa 1",
    refineCost:
      "Tworzy następną wersję tej playlisty i zużywa jedną z Twoich playlist AI. Zachowane piosenki zostają, a do poprzedniej wersji można wrócić.",
    allKept:
      "Wszystkie piosenki są zachowane. Odznacz te, które mogą się zmienić.",
    others: "Inne piosenki, to samo życzenie · zużywa 1",
    again: "Użyj tego życzenia ponownie",
    chips: [
      "spokojniej",
      "energiczniej",
      "mniej znane",
      "więcej fortepianu",
    ],
    fewer: (n, target) => `${n} z ${target} piosenek`,
    why: {
      completed: "",
      no_progress: "więcej pasujących nie znaleziono",
      deadline: "skończył się czas",
      budget: "wyszukiwanie doszło do granicy",
      interrupted: "zostało przerwane",
    },
    noRoom:
      "Biblioteka jest pełna, więc ta playlista nie jest zapisana. Usuń inną i zapisz tę.",
    ready: (name, n) => `${name} jest gotowa: ${tracksPl(n)}.`,
  },
  versions: {
    title: "Wersje",
    none: "Zachowaj, co lubisz, a zmieni się reszta.",
    of: (n, count) => `Wersja ${n} z ${count}`,
    first: "Tak się zaczęło",
    others: "Inne piosenki",
    back: (words) => `Wróć do: ${words}`,
    forth: (words) => `Naprzód do: ${words}`,
    oldest: "To pierwsza wersja",
    newest: "To ostatnia wersja",
    restored: (words) => `Teraz: ${words}.`,
  },
  wishes: {
    title: "Twoje poprzednie życzenia",
    kept: "Życzenia przechowujemy 30 dni, aby liczyć zużycie, a potem usuwamy.",
  },
};
