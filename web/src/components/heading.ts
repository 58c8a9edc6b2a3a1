import { useEffect, useRef } from "preact/hooks";

/** Focuses a heading when its content replaces the focused element. */
export function useHeading() {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (document.activeElement === document.body)
      heading.current?.focus({ preventScroll: true });
  }, []);
  return heading;
}
