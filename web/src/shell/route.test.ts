import { expect, test } from "vitest";
import { pathOf, type Route, routeOf } from "./route";

test.each<Route>([
  { view: "pipelines" },
  { view: "pipeline", id: "20261126-abc" },
  { view: "runs" },
  { view: "compare", runs: ["20261126-055748-3825", "20261126-055748-3826"] },
  { view: "bin" },
  { view: "users" },
  { view: "activity" },
  { view: "run", id: "20261126-055748-3825", node: "" },
  { view: "run", id: "20261126-055748-3825", node: "train" },
  { view: "data", run: "20261126-055748-3825", node: "split", port: "first" },
])("the address of $view leads back to it", (route) => {
  expect(routeOf(pathOf(route))).toEqual(route);
});

test("an address that nobody knows shows the pipelines", () => {
  expect(routeOf("/elsewhere/1")).toEqual({ view: "pipelines" });
});

test("a part that is no text is taken as it stands", () => {
  expect(routeOf("/pipelines/%E0%A4%A")).toEqual({ view: "pipeline", id: "%E0%A4%A" });
});
