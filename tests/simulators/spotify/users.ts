import { ControlError, checkFields } from '../common/check.ts';

/** Somebody with a Spotify account. */
export interface User {
  id: string;
  /** Never changes, unlike the id. */
  account_id: string;
  display_name: string | null;
  country: string;
  /** An app in development mode may act for five accounts that its owner has listed. */
  allow_listed: boolean;
}

const DEFAULT_USERS: readonly User[] = [
  { id: 'ania', account_id: 'acc-ania', display_name: 'Ania Żółć', country: 'PL', allow_listed: true },
  { id: 'bob', account_id: 'acc-bob', display_name: 'Bob', country: 'US', allow_listed: true },
  { id: 'stranger', account_id: 'acc-stranger', display_name: null, country: 'DE', allow_listed: false },
];

const FIELDS = { id: 'string', account_id: 'string', display_name: 'any', country: 'string', allow_listed: 'boolean' } as const;

export class Users {
  #users = DEFAULT_USERS;

  reset(): void {
    this.#users = DEFAULT_USERS;
  }

  set(body: unknown): void {
    if (!Array.isArray(body) || body.length === 0) {
      throw new ControlError('users must be a list with somebody in it');
    }
    this.#users = body.map((user: unknown) => {
      const checked = checkFields('user', user, FIELDS, ['id']) as Partial<User> & { id: string };
      return { account_id: `acc-${checked.id}`, display_name: checked.id, country: 'PL', allow_listed: true, ...checked };
    });
  }

  all(): readonly User[] {
    return this.#users;
  }

  find(id: string | undefined | null): User | undefined {
    return this.#users.find((user) => user.id === id);
  }
}
