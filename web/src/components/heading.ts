import { useEffect, useRef } from 'preact/hooks';

/** For the heading of what takes the place of something else: whoever was at a button that is gone is not left nowhere. */
export function useHeading() {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus({ preventScroll: true });
  }, []);
  return heading;
}
