/** How people of a language write numbers and dates: as the browser's own region does, if it speaks the language. */

export function localeOf(
  language: string,
  browser: readonly string[] = globalThis.navigator?.languages ?? [],
): string {
  return browser.find((one) => one.split("-")[0] === language) ?? language;
}
