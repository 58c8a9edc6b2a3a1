// The screens beyond the composer: one file, which does not delay the first screen of a new visitor.

export { AccountScreen } from "./account.tsx";
export {
  MailScreen,
  NewPasswordScreen,
  SignInScreen,
  SignUpScreen,
} from "./auth.tsx";
export { ConfirmScreen } from "./confirm.tsx";
export { TextScreen } from "./legal.tsx";
export { MakingScreen } from "./making.tsx";
export { PlaylistScreen } from "./playlist.tsx";
export { PlaylistsScreen } from "./playlists.tsx";
export { SharedScreen } from "./shared.tsx";
