import { expect, test } from "vitest";
import { pipelineIn } from "./pipelineFile";

test.each(["", "{", "null", "[]", '"pipeline"', "7", '{"nodes": []}', '{"kind": "model"}'])(
  "%j is no pipeline file",
  (text) => {
    expect(pipelineIn(text)).toBeNull();
  },
);

test("what says that it is a pipeline goes to the server as it is, whatever else is in it", () => {
  const newer = { kind: "pipeline", format_version: 99, nodes: "of another form" };
  expect(pipelineIn(JSON.stringify(newer))).toEqual(newer);
});
