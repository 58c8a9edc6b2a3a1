import type { Texts } from './texts.ts';

const rules = new Intl.PluralRules('pl');
const counted = (n: number, one: string, few: string, many: string) => `${n} ${{ one, few, many }[rules.select(n) as 'one' | 'few' | 'many'] ?? many}`;
const tracks = (n: number) => counted(n, 'utwór', 'utwory', 'utworów');

export const pl: Texts = {
  nav: { create: 'Stwórz', playlists: 'Playlisty', account: 'Konto', signIn: 'Zaloguj się', main: 'Główna', language: 'Język', skip: 'Przejdź do treści' },
  tracks,
  minutes: (n) => (n < 60 ? `${n} min` : `${Math.floor(n / 60)} godz. ${n % 60} min`),
  common: {
    cancel: 'Anuluj', save: 'Zapisz', close: 'Zamknij', retry: 'Spróbuj ponownie', undo: 'Cofnij', details: 'Szczegóły dla pomocy technicznej', code: 'Kod',
    request: 'Żądanie', said: 'Komunikat', loading: 'Wczytywanie …', again: (when) => `Warto spróbować ponownie ${when}.`, attribution: 'Utwory i wykonawcy ze Spotify',
  },
  create: {
    title: 'Czego chcesz posłuchać?', lead: 'Opisz nastrój, chwilę albo wspomnienie. Dostaniesz utwory, które naprawdę są na Spotify, jeden po drugim.',
    prompt: 'Twoje życzenie', placeholder: 'Przytulny deszczowy wieczór, spokojna akustyka, nic zbyt smutnego', examples: 'Brak pomysłu? Spróbuj jednego z tych',
    exampleList: ['Ciepły indie folk na deszczowy niedzielny poranek', 'Synth-pop z lat 80. na nocną jazdę, nic zbyt smutnego', 'Energiczny polski rock z lat dziewięćdziesiątych', 'Coś jak Sigur Rós na długi spacer'],
    length: 'Długość', lengthValue: tracks, options: 'Więcej opcji', from: 'Wydane od', to: 'do', year: 'Rok', explicit: 'Wulgarne teksty mogą być', versions: 'Gdy brak nagrania, może być wersja akustyczna lub nagrana ponownie',
    discovery: 'Na ile znane', discoveryOf: { familiar: 'Głównie utwory, które znam', balanced: 'Trochę tych, trochę tych', adventurous: 'Głównie utwory nowe dla mnie' },
    exclude: 'Pomiń tych wykonawców', excludeHint: 'Nazwy oddzielone przecinkami', saveToo: 'Zapisz w moich playlistach, gdy będzie gotowa',
    saveHint: 'Zapisana nie zginie, nawet gdy zerwie się połączenie.', go: 'Stwórz playlistę', signInFirst: 'Najpierw się zaloguj. To, co wpisano, tu zostanie.',
    left: (n, limit) => `Zostało ${n} z ${limit} playlist AI`, nextFree: (day) => `następna będzie wolna ${day}`,
    cancelled: 'Anulowano. Nic nie zostało zużyte.', tooLong: (n) => `${counted(n, 'znak', 'znaki', 'znaków')} za dużo`, eraOrder: 'Pierwszy rok nie może być późniejszy niż ostatni.', eraRange: 'Lata od 1900 do 2100.', tooManyArtists: 'Najwyżej 20 wykonawców.', needPrompt: 'Napisz w kilku słowach, czego chcesz posłuchać.',
  },
  run: {
    title: 'Tworzymy Twoją playlistę', starting: 'Prosimy o miejsce …', reserved: 'Przygotowujemy się …', thinking: 'Wymyślamy utwory …', resolving: 'Szukamy ich na Spotify …', refilling: 'Potrzeba jeszcze kilku …',
    found: (n, target) => `${n} z ${target}`, progress: 'Znalezione utwory', misses: (n) => `${counted(n, 'propozycji', 'propozycji', 'propozycji')} nie było na Spotify`, wish: 'Twoje życzenie', stop: 'Anuluj', list: 'Utwory znalezione do tej pory',
    lostTitle: 'Połączenie zostało zerwane w trakcie tworzenia playlisty.', lostNext: 'Niczego nie zapłacisz dwa razy: najpierw szukamy gotowej playlisty, a tworzymy ją tylko wtedy, gdy jej nie ma.', keptTitle: 'Anulowano. Liczy się jako jedna playlista AI, bo była już w dużej części gotowa.', keptNext: 'To, co znaleziono, czeka na Ciebie.', recover: 'Odbierz playlistę', giveUp: 'Zostaw',
  },
  result: {
    list: 'Twoja playlista', saved: 'Zapisana', open: 'Otwórz', save: 'Zapisz', name: 'Nazwa', notSaved: 'Jeszcze niezapisana', another: 'Nowa playlista', refine: 'Prawie? Napisz, co ma być inaczej', refineLabel: 'Co ma być inaczej', refinePlaceholder: 'spokojniej, mniej znane, więcej pianina …', refineGo: 'Popraw', refineCost: 'Tworzy nową playlistę i zużywa jedną z Twoich playlist AI. Wymiana jednego utworu jest darmowa.',
    chips: ['spokojniej', 'energiczniej', 'mniej znane', 'więcej pianina'], fewer: (n, target) => `${n} zamiast ${target}`, why: { completed: '', no_progress: 'więcej pasujących nie znaleziono', deadline: 'skończył się czas', budget: 'wyszukiwanie doszło do granicy', interrupted: 'zostało przerwane' }, noRoom: 'Zabrakło miejsca, żeby ją zapisać. Usuń jakąś playlistę i zapisz tę.',
    ready: (name, n) => `${name} jest gotowa: ${tracks(n)}.`, discardTitle: 'Porzucić ją?', discard: 'Ta playlista nie jest jeszcze zapisana.', discardGo: 'Porzuć', keep: 'Zostaw',
  },
  track: {
    play: (title) => `Odtwórz ${title} na Spotify`, swap: (title) => `Wymień ${title} na inny utwór`, remove: (title) => `Usuń ${title}`, move: (title, at, of) => `Przesuń ${title}, ${at} z ${of}`, moveHint: 'Przeciągnij albo użyj strzałek, Home i End.',
    moved: (title, at, of) => `${title}: teraz ${at} z ${of}.`, removed: (title) => `Usunięto: ${title}.`, explicit: 'wulgarny tekst', unknown: 'Nieznany utwór',
    versionOf: {
      live: 'na żywo', karaoke: 'karaoke', tribute: 'tribut', cover: 'cover', sped_up: 'przyspieszona', slowed: 'spowolniona', eight_d: '8D', remix: 'remiks',
      acoustic: 'akustyczna', demo: 'demo', re_recorded: 'nagrana ponownie', instrumental: 'instrumentalna', alternate: 'inne podejście', extended: 'przedłużona', session: 'sesja',
      language: 'w innym języku', arranged: 'aranżacja', spoken: 'mówiona', mixed: 'z miksu DJ-a', other: 'inna wersja',
    },
  },
  search: {
    addTitle: 'Dodaj utwory', swapTitle: 'Wymień ten utwór', swapFor: (title) => `Zamiast: ${title}`, artist: 'Wykonawca', title: 'Tytuł', go: 'Szukaj', add: 'Dodaj', use: 'Wybierz', added: 'Dodano', there: 'Już jest', none: 'Nic nie znaleziono. Sprawdź pisownię albo spróbuj samego tytułu.', hint: 'Wykonawca, tytuł albo jedno i drugie. Szukanie jest darmowe.', results: 'Wyniki wyszukiwania', free: 'To nic nie kosztuje.',
    addLabel: (title) => `Dodaj ${title}`, useLabel: (title) => `Wybierz ${title}`, addedNow: (title) => `Dodano: ${title}.`, swapped: (title) => `Teraz gra: ${title}.`, count: (n) => `Znaleziono: ${tracks(n)}`,
  },
  playlists: {
    title: 'Twoje playlisty', search: 'Szukaj w swoich playlistach', create: 'Nowa playlista', empty: 'Nie ma jeszcze playlist', emptyNext: 'Opisz, czego chcesz posłuchać, a pierwsza będzie za minutę.', emptyGo: 'Stwórz', none: (what) => `Nic tu nie nazywa się „${what}”.`, deleted: 'Ostatnio usunięte', restore: 'Przywróć', restoreLabel: (name) => `Przywróć ${name}`,
    deletedNow: (name) => `Usunięto: ${name}.`, restored: (name) => `Przywrócono: ${name}.`, name: 'Nazwa', description: 'Opis', optional: 'niekoniecznie', createTitle: 'Nowa playlista', createGo: 'Utwórz', list: 'Playlisty', changed: (day) => `zmieniona ${day}`,
  },
  playlist: {
    back: 'Wszystkie playlisty', edit: 'Edytuj opis', editTitle: 'Edytuj opis', delete: 'Usuń', add: 'Dodaj utwory', empty: 'Nic tu jeszcze nie ma', emptyNext: 'Wyszukaj pierwszy utwór albo opisz nową playlistę jednym zdaniem.', exportGo: 'Wyślij do Spotify', exporting: 'Wysyłanie …', list: 'Utwory',
    exported: (n, total) => (n === total ? `Na Spotify są wszystkie utwory (${n}).` : `Na Spotify są ${n} z ${total} utworów.`), rejected: (positions) => `Spotify nie przyjęło numerów: ${positions}.`, openSpotify: 'Otwórz w Spotify', linkFirst: 'Połącz konto Spotify, a potem wyślij.', link: 'Połącz Spotify',
  },
  account: {
    title: 'Twoje konto', plan: 'Plan', free: 'Darmowy', pro: 'Pro', playlists: 'Playlisty', ai: 'Playlisty AI w ciągu 30 dni', used: (n, limit) => `Zużyto ${n} z ${limit}`, nextFree: (day) => `Następna będzie wolna ${day}.`, oldest: (day) => `Najstarsza przestanie się liczyć ${day}.`, upgrade: 'Przejdź na Pro', payGo: 'Przejdź do płatności', manage: 'Płatności i faktury', proOffer: 'Pro to 50 playlist AI w ciągu 30 dni zamiast 3.', thanks: 'Dziękujemy! Czekamy na potwierdzenie płatności …', nowPro: 'Masz już plan Pro. Miłego słuchania!', slow: 'Płatność nie jest jeszcze potwierdzona. To może potrwać kilka minut; zajrzyj później.',
    spotify: 'Spotify', linked: (name) => `Połączono jako ${name}.`, linkedPlain: 'Połączono.', until: (day) => `Spotify zakończy połączenie ${day}; wtedy połącz ponownie.`, unlinked: 'Niepołączone. Połącz, aby kopiować playlisty na swoje konto.', link: 'Połącz Spotify', linkText: 'Teraz zapyta Cię Spotify. Potem można kopiować playlisty na Twoje konto tam.', linkGo: 'Przejdź do Spotify', unlink: 'Rozłącz', linkedNow: 'Spotify jest połączone.', unlinkedNow: 'Spotify jest rozłączone.', linking: 'Łączenie ze Spotify …',
    signedInAs: 'Zalogowano jako', signOut: 'Wyloguj się', signedOut: 'Wylogowano.', privacy: 'Prywatność', data: 'Twoje dane', dataText: 'Wszystko, co o Tobie przechowujemy, w jednym pliku.', download: 'Pobierz moje dane',
    danger: 'Usuń konto', dangerText: 'Kończy subskrypcję i usuwa wszystkie playlisty, od razu i na zawsze. To, co wysłano do Spotify, tam zostaje.', deleteGo: 'Usuń moje konto', confirm: (shown) => `Wpisz ${shown}, aby potwierdzić`, confirmEmail: 'Twój adres e-mail', confirmPhone: 'Twój numer telefonu', confirmId: 'Identyfikator Twojego konta', deleted: 'Konto zostało usunięte.',
  },
  auth: {
    signIn: 'Zaloguj się', signUp: 'Załóż konto', email: 'E-mail', password: 'Hasło', newPassword: 'Nowe hasło', passwordHint: 'Co najmniej 8 znaków', forgot: 'Nie pamiętasz hasła?', noAccount: 'Pierwszy raz tutaj?', haveAccount: 'Masz już konto?', signUpGo: 'Załóż konto', wanted: 'Zaloguj się, aby zobaczyć tę stronę.', kept: 'To, co wpisano, zostaje.',
    checkTitle: 'Sprawdź pocztę', check: (email) => `Wysłaliśmy link na ${email}. Otwórz go, aby dokończyć. Może być w spamie.`, resend: 'Wyślij jeszcze raz', resent: 'Wysłano jeszcze raz.', forgotTitle: 'Ustaw nowe hasło', forgotLead: 'Wyślemy Ci link, dzięki któremu wybierzesz nowe.', forgotGo: 'Wyślij link', forgotSent: (email) => `Jeśli istnieje konto ${email}, link jest w drodze.`, newTitle: 'Wybierz nowe hasło', newGo: 'Zapisz hasło', changed: 'Nowe hasło jest zapisane.', confirmed: 'Adres e-mail jest potwierdzony. Witaj!', back: 'Wróć do logowania',
  },
  confirm: {
    title: 'Link z wiadomości', go: 'Potwierdź', lead: { signup: 'Potwierdź, że to Twój adres e-mail.', magiclink: 'Zaloguj się linkiem z wiadomości.', recovery: 'Wybierz nowe hasło za pomocą linku z wiadomości.', email_change: 'Potwierdź zmianę swojego adresu e-mail.', invite: 'Przyjmij zaproszenie.' },
    nowAs: (name) => `Zalogowano jako ${name}.`, other: (name) => `Ten link należy do ${name}.`, stay: (name) => `Zostań jako ${name}`, enter: (name) => `Zaloguj się jako ${name}`, half: 'Potwierdzono. Teraz otwórz link z wiadomości na drugi adres.', broken: 'Ten link nie jest kompletny.', brokenNext: 'Otwórz go jeszcze raz z wiadomości albo skopiuj w całości.',
  },
  boot: { failed: 'Nie udało się uruchomić Sound Whiskers.', next: 'Sprawdź połączenie i spróbuj ponownie.' },
};
