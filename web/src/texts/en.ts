const tracks = (n: number) => (n === 1 ? '1 track' : `${n} tracks`);

export const en = {
  nav: { create: 'Create', playlists: 'Playlists', account: 'Account', signIn: 'Sign in', main: 'Main', language: 'Language', skip: 'Skip to content' },
  tracks,
  minutes: (n: number) => (n < 60 ? `${n} min` : `${Math.floor(n / 60)} h ${n % 60} min`),
  common: {
    cancel: 'Cancel', save: 'Save', close: 'Close', retry: 'Try again', undo: 'Undo', details: 'Details for support', code: 'Code',
    request: 'Request', said: 'Message', loading: 'Loading …', again: (when: string) => `Trying again may help ${when}.`, attribution: 'Tracks and artists from Spotify',
  },
  create: {
    title: 'What would you like to hear?', lead: 'Describe a mood, a moment or a memory. You get songs that really exist on Spotify, one by one.',
    prompt: 'Your wish', placeholder: 'A cozy rainy evening, mellow acoustic, nothing too sad', examples: 'Not sure? Try one of these',
    exampleList: ['Warm indie folk for a rainy Sunday morning', '80s synth-pop for a night drive, nothing too sad', 'Energetic Polish rock from the nineties', 'Something like Sigur Rós for a long walk'],
    length: 'Length', lengthValue: tracks, options: 'More options', from: 'Released from', to: 'until', year: 'Year', explicit: 'Explicit lyrics are fine', versions: 'Acoustic or re-recorded versions may stand in for a missing recording',
    discovery: 'How well known', discoveryOf: { familiar: 'Mostly songs that I know', balanced: 'A mix', adventurous: 'Mostly songs that are new to me' },
    exclude: 'Leave out these artists', excludeHint: 'Names, separated by commas', saveToo: 'Save it to my playlists when it is ready',
    saveHint: 'Saved, it cannot get lost, even if your connection does.', go: 'Make my playlist', signInFirst: 'Sign in first. What you have written stays here.',
    left: (n: number, limit: number) => `${n} of ${limit} AI playlists left`, nextFree: (day: string) => `the next one is free on ${day}`,
    cancelled: 'Cancelled. Nothing was used up.', tooLong: (n: number) => `${n} characters too many`, eraOrder: 'The first year must not be after the last one.', eraRange: 'Years go from 1900 to 2100.', tooManyArtists: 'At most 20 artists.', needPrompt: 'Write a few words about what you would like to hear.',
  },
  run: {
    title: 'Making your playlist', starting: 'Asking for a place …', reserved: 'Getting ready …', thinking: 'Thinking of songs …', resolving: 'Looking for them on Spotify …', refilling: 'A few more are needed …',
    found: (n: number, target: number) => `${n} of ${target}`, progress: 'Tracks found', misses: (n: number) => (n === 1 ? '1 suggestion was not on Spotify' : `${n} suggestions were not on Spotify`), wish: 'Your wish', stop: 'Cancel', list: 'Tracks found so far',
    lostTitle: 'The connection was lost while your playlist was being made.', lostNext: 'You pay for nothing twice: we look for the finished playlist first, and make it only if it is not there.', keptTitle: 'Cancelled. It counts as one AI playlist, for enough of it was there.', keptNext: 'What was found is kept for you.', recover: 'Get my playlist', giveUp: 'Leave it',
  },
  result: {
    list: 'Your playlist', saved: 'Saved', open: 'Open it', save: 'Save', name: 'Name', notSaved: 'Not saved yet', another: 'New playlist', refine: 'Almost? Say what should be different', refineLabel: 'What should be different', refinePlaceholder: 'calmer, less known, more piano …', refineGo: 'Refine', refineCost: 'Makes a new playlist and uses one of your AI playlists. Swapping a single track is free.',
    chips: ['calmer', 'more energetic', 'less known', 'more piano'], fewer: (n: number, target: number) => `${n} instead of ${target}`, why: { completed: '', no_progress: 'more that fit were not found', deadline: 'the time was up', budget: 'the search was at its limit', interrupted: 'it was interrupted' }, noRoom: 'There was no room to save it. Delete a playlist, then save this one.',
    ready: (name: string, n: number) => `${name} is ready: ${tracks(n)}.`, discardTitle: 'Let it go?', discard: 'This playlist is not saved yet.', discardGo: 'Let it go', keep: 'Keep it',
  },
  track: {
    play: (title: string) => `Play ${title} on Spotify`, swap: (title: string) => `Swap ${title} for another track`, remove: (title: string) => `Remove ${title}`, move: (title: string, at: number, of: number) => `Move ${title}, ${at} of ${of}`, moveHint: 'Drag it, or use the arrow keys, Home and End.',
    moved: (title: string, at: number, of: number) => `${title} is now ${at} of ${of}.`, removed: (title: string) => `${title} was removed.`, explicit: 'explicit', unknown: 'Unknown track',
    versionOf: {
      live: 'live', karaoke: 'karaoke', tribute: 'tribute', cover: 'cover', sped_up: 'sped up', slowed: 'slowed', eight_d: '8D', remix: 'remix', acoustic: 'acoustic',
      demo: 'demo', re_recorded: 're-recorded', instrumental: 'instrumental', alternate: 'alternate take', extended: 'extended', session: 'session',
      language: 'another language', arranged: 'arrangement', spoken: 'spoken', mixed: 'from a DJ mix', other: 'another version',
    } as Record<string, string>,
  },
  search: {
    addTitle: 'Add tracks', swapTitle: 'Swap this track', swapFor: (title: string) => `Instead of ${title}`, artist: 'Artist', title: 'Title', go: 'Search', add: 'Add', use: 'Use', added: 'Added', there: 'In it', none: 'Nothing was found. Check the spelling, or try the title alone.', hint: 'Artist, title or both. Searching is free.', results: 'Search results', free: 'This is free.',
    addLabel: (title: string) => `Add ${title}`, useLabel: (title: string) => `Use ${title}`, addedNow: (title: string) => `${title} was added.`, swapped: (title: string) => `${title} is in now.`, count: (n: number) => `${tracks(n)} found`,
  },
  playlists: {
    title: 'Your playlists', search: 'Search your playlists', create: 'New playlist', empty: 'No playlists yet', emptyNext: 'Describe what you would like to hear, and the first one is a minute away.', emptyGo: 'Make one', none: (what: string) => `Nothing here is called “${what}”.`, deleted: 'Recently deleted', restore: 'Restore', restoreLabel: (name: string) => `Restore ${name}`,
    deletedNow: (name: string) => `${name} was deleted.`, restored: (name: string) => `${name} is back.`, name: 'Name', description: 'Description', optional: 'optional', createTitle: 'New playlist', createGo: 'Create', list: 'Playlists', changed: (day: string) => `changed ${day}`,
  },
  playlist: {
    back: 'All playlists', edit: 'Edit details', editTitle: 'Edit details', delete: 'Delete', add: 'Add tracks', empty: 'Nothing in here yet', emptyNext: 'Search for the first track, or let a sentence fill a new playlist.', exportGo: 'Export to Spotify', exporting: 'Exporting …', list: 'Tracks',
    exported: (n: number, total: number) => (n === total ? `All ${tracks(n)} are on Spotify now.` : `${n} of ${total} tracks are on Spotify now.`), rejected: (positions: string) => `Spotify did not take number ${positions}.`, openSpotify: 'Open in Spotify', linkFirst: 'Link your Spotify account, then export.', link: 'Link Spotify',
  },
  account: {
    title: 'Your account', plan: 'Plan', free: 'Free', pro: 'Pro', playlists: 'Playlists', ai: 'AI playlists in 30 days', used: (n: number, limit: number) => `${n} of ${limit} used`, nextFree: (day: string) => `The next one is free on ${day}.`, oldest: (day: string) => `The oldest is forgotten on ${day}.`, upgrade: 'Upgrade to Pro', payGo: 'Continue to payment', manage: 'Manage billing', proOffer: 'Pro makes 50 AI playlists in 30 days instead of 3.', thanks: 'Thank you! Waiting for the payment to be confirmed …', nowPro: 'You are on Pro now. Enjoy!', slow: 'The payment has not been confirmed yet. This can take a few minutes; look again later.',
    spotify: 'Spotify', linked: (name: string) => `Linked as ${name}.`, linkedPlain: 'Linked.', until: (day: string) => `Spotify ends the link on ${day}; then link it again.`, unlinked: 'Not linked. Link it to copy playlists to your account.', link: 'Link Spotify', linkText: 'Spotify asks you next. Your playlists can then be copied to your account there.', linkGo: 'Continue to Spotify', unlink: 'Unlink', linkedNow: 'Spotify is linked.', unlinkedNow: 'Spotify is unlinked.', linking: 'Linking Spotify …',
    signedInAs: 'Signed in as', signOut: 'Sign out', signedOut: 'You are signed out.', privacy: 'Privacy', data: 'Your data', dataText: 'Everything that is stored about you, as one file.', download: 'Download my data',
    danger: 'Delete account', dangerText: 'Ends your subscription and deletes every playlist, at once and for good. What you exported stays on Spotify.', deleteGo: 'Delete my account', confirm: (shown: string) => `Type ${shown} to confirm`, confirmEmail: 'Your e-mail address', confirmPhone: 'Your phone number', confirmId: 'Your account’s id', deleted: 'Your account is deleted.',
  },
  auth: {
    signIn: 'Sign in', signUp: 'Create an account', email: 'E-mail', password: 'Password', newPassword: 'New password', passwordHint: 'At least 8 characters', forgot: 'Forgot your password?', noAccount: 'New here?', haveAccount: 'Already have an account?', signUpGo: 'Create account', wanted: 'Sign in to see this page.', kept: 'What you have written is kept.',
    checkTitle: 'Check your mail', check: (email: string) => `We have sent a link to ${email}. Open it to finish. It may be in the spam folder.`, resend: 'Send it again', resent: 'Sent again.', forgotTitle: 'Reset your password', forgotLead: 'We send you a link with which you choose a new one.', forgotGo: 'Send the link', forgotSent: (email: string) => `If there is an account for ${email}, a link is on its way.`, newTitle: 'Choose a new password', newGo: 'Save password', changed: 'Your new password is saved.', confirmed: 'Your e-mail address is confirmed. Welcome!', back: 'Back to sign in',
  },
  confirm: {
    title: 'A link from a mail', go: 'Confirm', lead: { signup: 'Confirm that this e-mail address is yours.', magiclink: 'Sign in with the link from the mail.', recovery: 'Choose a new password with the link from the mail.', email_change: 'Confirm the change of your e-mail address.', invite: 'Accept the invitation.' },
    nowAs: (name: string) => `You are signed in as ${name}.`, other: (name: string) => `This link belongs to ${name}.`, stay: (name: string) => `Stay signed in as ${name}`, enter: (name: string) => `Sign in as ${name}`, half: 'Confirmed. Now open the link in the mail to the other address.', broken: 'This link is not complete.', brokenNext: 'Open it from the mail once more, or copy all of it.',
  },
  boot: { failed: 'Sound Whiskers could not start.', next: 'Check your connection and try again.' },
};
