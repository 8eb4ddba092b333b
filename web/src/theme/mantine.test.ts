import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const HERE = new URL(".", import.meta.url);
const STYLES = new URL("../../node_modules/@mantine/core/", HERE);

function textOf(path: string, folder: URL): string {
  return readFileSync(new URL(path, folder), "utf8").trim();
}

test("styles of components stand in the order of the whole sheet, each as it stands there", () => {
  const whole = textOf("styles.css", STYLES);
  const imports = [...textOf("mantine.css", HERE).matchAll(/@import "@mantine\/core\/([^"]+)"/g)];
  const places = imports.map(([, path = ""]) => whole.indexOf(textOf(path, STYLES)));
  expect(places.length).toBeGreaterThan(10);
  expect(places[0]).toBe(0);
  expect(places).toEqual([...new Set(places)].sort((one, other) => one - other));
});
