import { expect, it } from "vitest";
import { ApiFailure, mayAskAgain } from "./client";

const failure = (status: number, type = "") =>
  new ApiFailure(status, { code: "", type, message: "", hint: "", reason: "", details: {} });

it("what the server refused is not asked for again, what it could not do is, once", () => {
  for (const status of [401, 404, 409, 422]) expect(mayAskAgain(0, failure(status))).toBe(false);
  for (const status of [0, 500, 503]) {
    expect(mayAskAgain(0, failure(status))).toBe(true);
    expect(mayAskAgain(1, failure(status))).toBe(false);
  }
  expect(mayAskAgain(0, failure(503, "StoreBusyError"))).toBe(false); // it has waited for half a minute
});
