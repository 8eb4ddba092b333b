import { afterAll, expect, test } from "vitest";
import { i18n } from ".";
import { en } from "./en";
import { page, server } from "./french";
import { speak } from "./language";

type Tree = { readonly [key: string]: string | Tree };

function leaves(tree: Tree, path = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, inner]) =>
    typeof inner === "string" ? [[`${path}${key}`, inner]] : leaves(inner, `${path}${key}.`),
  );
}

const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)/g)].map(([, name]) => name);

const ENGLISH = new Map(leaves(en));
const FRENCH = new Map(leaves(page));
const PAIRS: [string, string, string][] = [
  ...[...ENGLISH].map(([key, text]): [string, string, string] => [
    key,
    text,
    FRENCH.get(key) ?? "",
  ]),
  ...Object.entries(server).map(([text, french]): [string, string, string] => [text, text, french]),
];

/** Texts that are written alike in both languages: names, words of Latin, and what is no word. */
const ALIKE = new Set([
  "Pipelines",
  "Pipeline",
  "Versions",
  "Port",
  "Description",
  "Classes",
  "F1",
  "Images",
  "Transformation",
  "Transformations",
  "Mode",
  "Machine",
  "Source",
  "pixels",
  "images",
  "minutes",
  "machines",
  "DenseNet",
  "ResNet",
  "timm",
  "Slurm",
  "Dropout",
  "Patience",
  "Augmentation",
  "1 machine",
  "{{target}}",
  "{{count}} classes",
  "{{when}}, {{who}}",
  "{{minutes}} min {{seconds}} s",
  "{{hours}} h {{minutes}} min",
  "{{seconds}} s",
]);

afterAll(() => speak("en"));

test("every text of the page is there in French, and no other", () => {
  expect([...FRENCH.keys()]).toEqual([...ENGLISH.keys()]);
});

test("a French text has the places for values that the English one has", () => {
  const wrong = PAIRS.filter(
    ([, english, french]) =>
      placeholders(english).toSorted().join() !== placeholders(french).toSorted().join() ||
      [...english].filter((one) => one === "#").length !==
        [...french].filter((one) => one === "#").length,
  );
  expect(wrong).toEqual([]);
});

test("no French text is the English one but for words that are the same", () => {
  const same = PAIRS.filter(([, english, french]) => english === french && !ALIKE.has(english));
  expect(same).toEqual([]);
});

test("French is set as French: apostrophes, guillemets, and spaces that do not break", () => {
  // Imprimerie nationale: U+00A0 before a colon and inside guillemets, U+202F before ; ! ? and %.
  const wrong = PAIRS.filter(([, , text]) =>
    /'|[^\u00a0]:(?=\s|$)|[^\u202f][;?!%](?=\s|$|[,).])|«[^\u00a0]|[^\u00a0]»/.test(
      text.replaceAll("(?)", ""),
    ),
  );
  expect(wrong).toEqual([]);
});

test("one form of the plural serves nought and one, another two and more", async () => {
  await speak("fr");
  const nodes = (count: number) => i18n.t("panel.nodes", { count });
  expect(nodes(0)).toBe("0 nœud");
  expect(nodes(1)).toBe("1 nœud");
  expect(nodes(2)).toBe("2 nœuds");
  expect(nodes(1_234_000)).toBe("1\u202f234\u202f000 nœuds");
  expect(nodes(1_000_000)).toBe("1\u202f000\u202f000 nœuds"); // CLDR calls this one "many"
});
