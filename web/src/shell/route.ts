/** Where the page is, as its address says: the views, and nothing that a view keeps for itself. */
import { useSyncExternalStore } from "react";

/** Views that are one page each. */
const SINGLE = ["bin", "users", "activity"] as const;
export type Single = (typeof SINGLE)[number];

export type Route =
  | { view: "pipelines" }
  | { view: "pipeline"; id: string }
  | { view: "runs" }
  | { view: "compare"; runs: readonly string[] }
  | { view: "run"; id: string; node: string }
  | { view: "data"; run: string; node: string; port: string }
  | { view: Single };

export function routeOf(path: string): Route {
  const parts = path.split("/").filter(Boolean).map(plain);
  const [view, id, , node] = parts;
  if (view === "compare") return { view, runs: parts.slice(1) };
  if (view === "data" && parts.length === 4) {
    const [, run = "", of = "", port = ""] = parts;
    return { view: "data", run, node: of, port };
  }
  if (view === "runs") return id ? { view: "run", id, node: node ?? "" } : { view: "runs" };
  const single = SINGLE.find((one) => one === view);
  if (single) return { view: single };
  return view === "pipelines" && id ? { view: "pipeline", id } : { view: "pipelines" };
}

/** Returns a part of a path as text; one that no page has written as it stands. */
function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function pathOf(route: Route): string {
  switch (route.view) {
    case "pipelines":
      return "/";
    case "pipeline":
      return `/pipelines/${encodeURIComponent(route.id)}`;
    case "runs":
      return "/runs";
    case "compare":
      return `/compare/${route.runs.map(encodeURIComponent).join("/")}`;
    case "data":
      return `/data/${[route.run, route.node, route.port].map(encodeURIComponent).join("/")}`;
    case "run": {
      const node = route.node ? `/nodes/${encodeURIComponent(route.node)}` : "";
      return `/runs/${encodeURIComponent(route.id)}${node}`;
    }
    default:
      return `/${route.view}`;
  }
}

export function go(route: Route, { replace = false } = {}): void {
  const path = pathOf(route);
  if (path === window.location.pathname) return;
  if (replace) window.history.replaceState(null, "", path);
  else window.history.pushState(null, "", path);
  window.dispatchEvent(new PopStateEvent("popstate"));
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  return () => window.removeEventListener("popstate", listener);
}

export function useRoute(): Route {
  return routeOf(useSyncExternalStore(subscribe, () => window.location.pathname));
}
