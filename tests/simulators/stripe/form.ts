import { StripeError } from './error.ts';

/** A form's value: text, or what its brackets made of several. */
export type Form = string | Form[] | { [name: string]: Form };

export interface FormObject {
  [name: string]: Form;
}

/** Reads `a[b][c]=`, `a[0][b]=` and `a[]=` as Stripe does; what is written later wins. */
export function parseForm(text: string): FormObject {
  const root: FormObject = Object.create(null) as FormObject;
  for (const [name, value] of new URLSearchParams(text)) {
    put(root, pathOf(name), value);
  }
  return listsOf(root) as FormObject;
}

function pathOf(name: string): string[] {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name);
  if (match === null) {
    throw new StripeError(400, `Invalid request (check that your POST content type is application/x-www-form-urlencoded): ${name}`, { early: true });
  }
  return [match[1] as string, ...[...(match[2] as string).matchAll(/\[([^[\]]*)\]/g)].map((part) => part[1] as string)];
}

function put(root: FormObject, path: string[], value: string): void {
  let place = root;
  path.forEach((part, index) => {
    const name = part === '' ? String(Object.keys(place).length) : part;
    if (index === path.length - 1) {
      place[name] = value;
      return;
    }
    const inner = place[name];
    const next = typeof inner === 'object' && !Array.isArray(inner) ? inner : (Object.create(null) as FormObject);
    place[name] = next;
    place = next;
  });
}

/** Objects whose names are all numbers are lists. */
function listsOf(form: Form): Form {
  if (typeof form === 'string' || Array.isArray(form)) {
    return form;
  }
  const entries = Object.entries(form).map(([name, value]) => [name, listsOf(value)] as const);
  const isList = entries.length > 0 && entries.every(([name]) => /^\d+$/.test(name));
  return isList ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}
