import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { i18n } from ".";

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
