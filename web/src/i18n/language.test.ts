import { afterEach, expect, test } from "vitest";
import { i18n } from ".";
import { fromServer, translated } from "./fromServer";
import { speak, wantedLanguage } from "./language";
import { localeOf } from "./locale";
import { decimalMark, fixed, numberIn, percent } from "./numbers";
import { problemTitle } from "./problem";
import { ago, sizeText } from "./when";

afterEach(() => speak("en"));

test.each([
  [null, ["fr-CA", "en"], "fr"],
  [null, ["de", "fr"], "fr"],
  [null, ["de-AT", "it"], "en"],
  [null, [], "en"],
  ["en", ["fr"], "en"],
  ["fr", ["en-US"], "fr"],
  ["xx", ["fr"], "fr"],
])("with %j chosen before and %j wanted by the browser the page speaks %s", (kept, wants, is) => {
  expect(wantedLanguage(kept, wants)).toBe(is);
});

test("a region of the browser is kept where it speaks the page's language", () => {
  expect(localeOf("fr", ["en-GB", "fr-CH"])).toBe("fr-CH");
  expect(localeOf("fr", ["en-GB"])).toBe("fr");
});

test("numbers, sizes and times are written as in French", async () => {
  await speak("fr");
  expect(numberIn(1234.5)).toBe("1\u202f234,5");
  expect(fixed(0.5, 3)).toBe("0,500");
  expect(percent(0.987)).toBe("98,7\u00a0%");
  expect(decimalMark()).toBe(",");
  expect(sizeText(1_536)).toBe("1,5 Kio");
  expect(ago(0, 7_300)).toBe("il y a 2 heures");
  expect(i18n.t("source.pictures", { count: 1_797 })).toBe("1\u202f797 images");
});

test("what the server says is translated, what nobody translated stays", async () => {
  await speak("fr");
  expect(fromServer("Epoch 3/10")).toBe("Époque 3/10");
  expect(fromServer("Learning rate")).toBe("Taux d’apprentissage");
  expect(fromServer("A word of an extension")).toBe("A word of an extension");
  expect(fromServer("constructor")).toBe("constructor");
  const parameter = {
    name: "Learning rate",
    title: "Learning rate",
    range_text: "> 0 and <= 1,024",
    minimum: 0,
    maximum: 1024,
    exclusive: ["minimum"],
  };
  const found = translated([parameter])[0];
  expect(found?.name).toBe("Learning rate"); // a name is for programs
  expect(found?.title).toBe("Taux d’apprentissage");
  expect(found?.range_text).toBe("> 0 et ≤ 1\u202f024");
});

test("in English all that the server says stays as it is", () => {
  const told = { title: "Seed", range_text: ">= 0" };
  expect(translated(told)).toBe(told);
  expect(fromServer("Epoch 3/10")).toBe("Epoch 3/10");
});

test("a problem has a title in French; in English the engine's own sentence says it", async () => {
  const problem = { kind: "missing-input", port: "model", parameter: "" };
  expect(problemTitle(problem)).toBe("");
  await speak("fr");
  expect(problemTitle(problem)).toBe("Entrée sans lien\u00a0: model");
  expect(problemTitle({ kind: "of-an-extension", port: "", parameter: "" })).toBe("");
});
