import { signal } from '@preact/signals';

/** What the window is called after, where that is more than the name of the screen: a playlist's name. */
export const title = signal('');
