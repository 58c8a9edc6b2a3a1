import type { FailureCode } from "../api/failure.ts";
import type { FailureText } from "./texts.ts";

export const failuresPl: Record<FailureCode, FailureText> = {
  invalid_json: {
    what: "Żądanie zostało zniekształcone po drodze.",
    next: "Spróbuj ponownie. Jeśli to się powtórzy, odśwież stronę.",
  },
  invalid_header: {
    what: "Żądanie nie zostało zrozumiane.",
    next: "Odśwież stronę i spróbuj ponownie.",
  },
  invalid_state: {
    what: "To połączenie ze Spotify nie zaczęło się tutaj albo trwało za długo.",
    next: "Zacznij jeszcze raz od „Połącz Spotify”.",
  },
  invalid_code: {
    what: "Spotify nie przyjęło już tego połączenia.",
    next: "Zacznij jeszcze raz od „Połącz Spotify”.",
  },
  invalid_signature: {
    what: "Nie udało się zweryfikować wiadomości.",
    next: "Odśwież stronę i spróbuj ponownie.",
  },
  invalid_event: {
    what: "Wiadomość nie została zrozumiana.",
    next: "Odśwież stronę i spróbuj ponownie.",
  },
  livemode_mismatch: {
    what: "Pomieszano płatności testowe z prawdziwymi.",
    next: "Daj nam znać; nie da się tego naprawić po Twojej stronie.",
  },
  missing_token: {
    what: "Trzeba się najpierw zalogować.",
    next: "Zaloguj się. To, co wpisano, zostaje.",
  },
  invalid_token: {
    what: "Twoja sesja jest już nieważna.",
    next: "Zaloguj się ponownie. To, co wpisano, zostaje.",
  },
  token_expired: {
    what: "Twoja sesja wygasła.",
    next: "Zaloguj się ponownie. To, co wpisano, zostaje.",
  },
  token_too_large: {
    what: "Twoje konto zawiera zbyt dużo danych profilu, aby można je było tu rozpoznać.",
    next: "Ponowne logowanie nie pomoże. Wyślij nam szczegóły poniżej.",
  },
  account_required: {
    what: "Do tego potrzebne jest konto.",
    next: "Załóż je: wszystko, co powstało, zostaje.",
  },
  quota_exceeded: {
    what: "Twoje playlisty AI są na razie wykorzystane.",
    next: "Poczekaj na następną wolną albo przejdź na Pro.",
  },
  profile_not_found: {
    what: "To konto zostało usunięte.",
    next: "Wyloguj się i załóż nowe.",
  },
  state_of_another_user: {
    what: "Połączenie ze Spotify zaczęto z innego konta.",
    next: "Zaloguj się na tamto albo zacznij od nowa na tym.",
  },
  sign_in_again: {
    what: "Do tego potrzebne jest logowanie z ostatnich dziesięciu minut.",
    next: "Zaloguj się ponownie i kontynuuj.",
  },
  spotify_not_linked: {
    what: "Twoje konto Spotify nie jest połączone.",
    next: "Połącz je i spróbuj ponownie.",
  },
  spotify_link_expired: {
    what: "Spotify zakończyło połączenie z Twoim kontem.",
    next: "Połącz je ponownie i spróbuj jeszcze raz.",
  },
  spotify_access_denied: {
    what: "Spotify nie pozwala tej aplikacji działać na Twoim koncie.",
    next: "Rozłącz i połącz je ponownie albo użyj innego konta Spotify.",
  },
  not_found: {
    what: "Pod tym adresem niczego nie ma.",
    next: "Odśwież stronę: mogła się zmienić.",
  },
  shared_playlist_not_found: {
    what: "Pod tym linkiem nie ma już playlisty.",
    next: "Może już nie jest udostępniana. Poproś o nowy link.",
  },
  playlist_not_found: {
    what: "Tej playlisty już tu nie ma.",
    next: "Zajrzyj w bibliotece do sekcji „Ostatnio usunięte”.",
  },
  method_not_allowed: {
    what: "Żądanie nie zostało zrozumiane.",
    next: "Odśwież stronę: mogła się zmienić.",
  },
  already_generated: {
    what: "Ta playlista została ukończona, ale nie miała być zapisana, więc nie da się jej odzyskać.",
    next: "Stwórz ją jeszcze raz.",
  },
  generation_in_progress: {
    what: "Ta playlista jest jeszcze tworzona.",
    next: "Poczekaj chwilę i spróbuj ponownie.",
  },
  idempotency_key_reused: {
    what: "To wysłano już wcześniej, w innej sprawie.",
    next: "Spróbuj ponownie.",
  },
  playlist_limit_reached: {
    what: "Masz tyle playlist, ile może mieć konto.",
    next: "Usuń jedną niepotrzebną i spróbuj ponownie.",
  },
  playlist_empty: {
    what: "W tej playliście nie ma utworów.",
    next: "Dodaj kilka, a potem ją wyślij.",
  },
  export_in_progress: {
    what: "Ta playlista jest jeszcze wysyłana.",
    next: "Poczekaj chwilę i spróbuj ponownie.",
  },
  nothing_to_manage: {
    what: "Nie ma subskrypcji do zarządzania.",
    next: "Najpierw przejdź na Pro.",
  },
  currency_conflict: {
    what: "Twoje wcześniejsze zakupy są w innej walucie i nie wszystkie są jeszcze rozliczone. Nic nie pobrano.",
    next: "Napisz do nas: rozliczymy je, a potem przejdziesz na Pro.",
  },
  body_too_large: {
    what: "To więcej, niż można przyjąć naraz.",
    next: "Zmień to i spróbuj ponownie.",
  },
  unsupported_media_type: {
    what: "Żądanie nie zostało zrozumiane.",
    next: "Odśwież stronę: mogła się zmienić.",
  },
  invalid_request: {
    what: "Coś się tu nie zgadza.",
    next: "Sprawdź, co wpisano; szczegóły poniżej mówią, o co chodzi.",
  },
  not_confirmed: {
    what: "To nie zgadza się z tym kontem. Niczego nie usunięto.",
    next: "Wpisz dokładnie to, co pokazano.",
  },
  not_about_music: {
    what: "To nie brzmi jak życzenie muzyczne.",
    next: "Opisz, czego chcesz posłuchać, na przykład:",
  },
  no_tracks_found: {
    what: "Żadnego z proponowanych utworów nie ma na Spotify. Nic nie zostało zużyte.",
    next: "Ujmij to inaczej albo pozwól na więcej: inne lata, innych wykonawców.",
  },
  too_many_attempts: {
    what: "Za dużo żądań w krótkim czasie.",
    next: "Odczekaj chwilę i spróbuj ponownie.",
  },
  internal_error: {
    what: "Coś zepsuło się po naszej stronie. Nic nie zostało zużyte.",
    next: "Spróbuj ponownie. Jeśli to się powtórzy, wyślij nam szczegóły poniżej.",
  },
  llm_unavailable: {
    what: "Model językowy jest niedostępny. Nic nie zostało zużyte.",
    next: "Spróbuj ponownie za minutę.",
  },
  llm_invalid_answer: {
    what: "Odpowiedzi modelu językowego nie dało się użyć. Nic nie zostało zużyte.",
    next: "Spróbuj ponownie, może innymi słowami.",
  },
  spotify_unavailable: {
    what: "Spotify nie odpowiada prawidłowo.",
    next: "Spróbuj ponownie za kilka minut.",
  },
  stripe_unavailable: {
    what: "Serwis płatności nie odpowiada prawidłowo. Nic nie pobrano.",
    next: "Spróbuj ponownie za kilka minut.",
  },
  misconfigured: {
    what: "Ta część serwisu jest źle skonfigurowana.",
    next: "Daj nam znać; nie da się tego naprawić po Twojej stronie.",
  },
  database_unavailable: {
    what: "Nasza baza danych nie odpowiada.",
    next: "Spróbuj ponownie za minutę.",
  },
  spotify_rate_limited: {
    what: "Spotify prosi, żebyśmy zwolnili.",
    next: "Odczekaj chwilę i spróbuj ponownie.",
  },
  llm_rate_limited: {
    what: "Model językowy jest bardzo zajęty. Nic nie zostało zużyte.",
    next: "Odczekaj chwilę i spróbuj ponownie.",
  },
  stripe_rate_limited: {
    what: "Serwis płatności jest bardzo zajęty. Nic nie pobrano.",
    next: "Odczekaj chwilę i spróbuj ponownie.",
  },
  plan_contended: {
    what: "Twój plan jest właśnie zmieniany.",
    next: "Poczekaj chwilę i spróbuj ponownie.",
  },
  llm_timeout: {
    what: "Model językowy odpowiadał za długo. Nic nie zostało zużyte.",
    next: "Spróbuj ponownie, może z mniejszą liczbą utworów.",
  },
  spotify_timeout: {
    what: "Spotify odpowiadało za długo.",
    next: "Spróbuj ponownie za minutę.",
  },
  stripe_timeout: {
    what: "Serwis płatności odpowiadał za długo.",
    next: "Spróbuj ponownie za minutę.",
  },
  generation_timeout: {
    what: "To trwało za długo. Nic nie zostało zużyte.",
    next: "Spróbuj ponownie, może z mniejszą liczbą utworów.",
  },
  network: {
    what: "Nie możemy się połączyć.",
    next: "Sprawdź połączenie i spróbuj ponownie.",
  },
  offline: {
    what: "Nie ma połączenia z siecią. Nic nie zostało wysłane.",
    next: "Spróbuj ponownie, gdy będzie.",
  },
  connection_lost: {
    what: "Połączenie zostało zerwane.",
    next: "Sprawdź je i spróbuj ponownie.",
  },
  unknown: {
    what: "Stało się coś nieoczekiwanego.",
    next: "Spróbuj ponownie. Jeśli to się powtórzy, wyślij nam szczegóły poniżej.",
  },
  name_taken: {
    what: "Masz już playlistę o tej nazwie.",
    next: "Wybierz inną nazwę.",
  },
  duplicate_track: {
    what: "Ten utwór już jest na playliście.",
    next: "Wybierz inny.",
  },
  track_missing: {
    what: "Tego utworu nie ma już na playliście.",
    next: "Mógł zostać usunięty na innym urządzeniu. Dodaj go ponownie, jeśli chcesz.",
  },
  playlist_changed: {
    what: "Playlista zmieniła się na innym urządzeniu.",
    next: "Zobacz, jaka jest teraz, i spróbuj ponownie.",
  },
  too_many_tracks: {
    what: "Playlista mieści najwyżej 100 utworów.",
    next: "Najpierw usuń jeden.",
  },
  text_not_allowed: {
    what: "Nazwa ma od 1 do 100 znaków w jednym wierszu, opis do 300.",
    next: "Zmień to i spróbuj ponownie.",
  },
  wrong_credentials: {
    what: "Adres e-mail albo hasło się nie zgadza.",
    next: "Sprawdź jedno i drugie albo ustaw nowe hasło.",
  },
  email_taken: {
    what: "Konto z tym adresem już istnieje.",
    next: "Zaloguj się albo ustaw nowe hasło.",
  },
  email_not_confirmed: {
    what: "Twój adres e-mail nie jest jeszcze potwierdzony.",
    next: "Otwórz link, który wysłaliśmy.",
  },
  email_invalid: {
    what: "Tego adresu e-mail nie da się użyć.",
    next: "Sprawdź pisownię.",
  },
  weak_password: {
    what: "To hasło jest za słabe.",
    next: "Wybierz takie, które ma co najmniej 8 znaków i trudno je odgadnąć.",
  },
  same_password: {
    what: "To jest Twoje stare hasło.",
    next: "Wybierz inne.",
  },
  mail_link_expired: {
    what: "Link z wiadomości jest już nieważny.",
    next: "Został już użyty albo jest za stary.",
  },
  session_in_link: {
    what: "Link próbował zalogować Cię na cudze konto. Został zignorowany.",
    next: "Jeśli był w dobrej wierze, poproś tutaj o nową wiadomość.",
  },
  mail_rate_limited: {
    what: "Wiadomość wysłano dopiero przed chwilą.",
    next: "Odczekaj minutę i spróbuj ponownie.",
  },
  auth_rate_limited: {
    what: "Za dużo prób w krótkim czasie.",
    next: "Odczekaj kilka minut i spróbuj ponownie.",
  },
  auth_unavailable: {
    what: "Logowanie chwilowo nie działa.",
    next: "Spróbuj ponownie za minutę.",
  },
  captcha_failed: {
    what: "Nie udało się sprawdzić, że nie jesteś robotem.",
    next: "Spróbuj ponownie. Jeśli to się powtórzy, odśwież stronę bez blokady treści.",
  },
  spotify_refused: {
    what: "Nie było zgody na połączenie, więc nic nie zostało połączone.",
    next: "Zacznij jeszcze raz, jeśli zmienisz zdanie.",
  },
  spotify_took_too_long: {
    what: "Łączenie trwało dłużej niż dziesięć minut.",
    next: "Zacznij jeszcze raz od „Połącz Spotify”.",
  },
  spotify_failed: {
    what: "Spotify nie mogło dokończyć połączenia.",
    next: "Zacznij jeszcze raz od „Połącz Spotify”.",
  },
};
