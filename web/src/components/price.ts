// What Pro costs. If it cannot be read, the page shows no price.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { readPrice } from "../api/functions.ts";
import type { PriceResponse } from "../api/generated.ts";
import { priceText } from "../i18n/texts.ts";

const price = signal<PriceResponse | null>(null);
let reading: Promise<void> | null = null;

/** Returns the price in words, such as "US$4.99 a month"; empty while it is not known. */
export function usePrice(): string {
  useEffect(() => {
    if (price.value || reading) return;
    reading = readPrice()
      .then((read) => {
        price.value = read;
      })
      .catch(() => {})
      .finally(() => {
        reading = null;
      });
  }, []);
  return price.value ? priceText(price.value) : "";
}
