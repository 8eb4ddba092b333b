import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { i18n } from ".";
import { en } from "./en";

const SOURCES = new URL("..", import.meta.url);

function keysIn(text: string): string[] {
  const asked = text.matchAll(/(?:\bt\(|\bkey: |\? |: )"([a-z][A-Za-z]*(?:\.[A-Za-z]+)+)"/g);
  return [...asked].map(([, key = ""]) => key);
}

test("every text that the page asks for is there", () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter(
    (name) => /\.tsx?$/.test(name) && !/\.test\.|testing|schema/.test(name),
  );
  const keys = files.flatMap((name) => keysIn(readFileSync(new URL(name, SOURCES), "utf8")));
  expect(new Set(keys).size).toBeGreaterThan(80);
  const missing = keys.filter((key) => !i18n.exists(key) && !i18n.exists(key, { count: 2 }));
  expect(missing).toEqual([]);
});

/** Every text of the page's English tree, plurals without their ends. */
function allKeys(tree: object, before = ""): string[] {
  return Object.entries(tree).flatMap(([name, found]) =>
    typeof found === "string"
      ? [`${before}${name.replace(/_(one|other)$/, "")}`]
      : allKeys(found, `${before}${name}.`),
  );
}

test("every text that is there is asked for somewhere", () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter(
    (name) => /\.tsx?$/.test(name) && !/\.test\.|testing|schema|i18n\/(en|fr)/.test(name),
  );
  const sources = files.map((name) => readFileSync(new URL(name, SOURCES), "utf8")).join("\n");
  const whole = new Set([...sources.matchAll(/"([\w.]+)"/g)].map(([, key = ""]) => key));
  // Keys that are put together: what stands in braces may be anything.
  const made = [...sources.matchAll(/`([\w.]+\.(?:[\w.]|\$\{[^{}`]*\})*)`/g)].map(
    ([, key = ""]) =>
      new RegExp(`^${key.replaceAll(".", "\\.").replaceAll(/\$\{[^}]*\}/g, ".+")}$`),
  );
  const ends = [...sources.matchAll(/`\$\{\w+\}([A-Z]\w+)`/g)].map(([, end = ""]) => end);
  const isAsked = (key: string) =>
    whole.has(key) ||
    made.some((pattern) => pattern.test(key)) ||
    ends.some((end) => key.endsWith(end) && whole.has(key.slice(0, -end.length)));
  const unused = allKeys(en).filter((key) => !isAsked(key));
  expect([...new Set(unused)]).toEqual([]);
});
