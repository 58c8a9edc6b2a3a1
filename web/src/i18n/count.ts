// Counted words in Polish.

const rules = new Intl.PluralRules("pl");
export const counted = (n: number, one: string, few: string, many: string) =>
  `${n} ${
    {
      one,
      few,
      many,
    }[rules.select(n) as "one" | "few" | "many"] ?? many
  }`;
export const tracksPl = (n: number) => counted(n, "utwór", "utwory", "utworów");
