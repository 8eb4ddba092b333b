import { createHash } from "node:crypto";
import { afterEach, expect, it, vi } from "vitest";
import { sha256Of } from "./sha256";

const CONTENTS = [new Uint8Array(), new Uint8Array(1_000_003).map((_, place) => place % 251)];

afterEach(() => vi.unstubAllGlobals());

it.each([
  ["over https", () => {}],
  ["over plain http", () => vi.stubGlobal("crypto", {})],
])("is what Node says, %s", async (_, arrange) => {
  arrange();
  for (const content of CONTENTS) {
    expect(await sha256Of(content.buffer)).toBe(createHash("sha256").update(content).digest("hex"));
  }
});
