/** Which components a few typed letters mean, the likeliest first. */
import type { Component } from "./catalogue";

/** Returns components in which every typed word stands, those whose title begins with it first. */
export function searched(components: Iterable<Component>, text: string): Component[] {
  const wanted = plain(text).split(/\s+/).filter(Boolean);
  const ranked = [...components].flatMap((component) => {
    const title = plain(component.title);
    const all = [title, component.name, plain(component.category), plain(component.help)];
    if (!wanted.every((word) => all.some((one) => one.includes(word)))) return [];
    const first = wanted[0] ?? "";
    const rank = title.startsWith(first) ? 0 : title.includes(first) ? 1 : 2;
    return [{ component, rank }];
  });
  return ranked.toSorted((one, other) => one.rank - other.rank).map((one) => one.component);
}

/** Returns a text as people type it in a hurry: in small letters without accents. */
export function plain(text: string): string {
  return text.toLowerCase().replaceAll("œ", "oe").normalize("NFD").replace(/\p{M}/gu, "");
}

/**
 * Returns components in the order in which a pipeline needs them: what takes nothing first, then what can be fed by
 * those before it. A component that nothing can feed stands last.
 */
export function inFlowOrder(components: Iterable<Component>): Component[] {
  let waiting = [...components].toSorted((one, other) => one.title.localeCompare(other.title));
  const ordered: Component[] = [];
  const given = new Set<string>();
  while (waiting.length > 0) {
    const next = waiting.filter(({ inputs }) =>
      inputs.every((port) => port.optional || given.has(port.type)),
    );
    if (next.length === 0) return [...ordered, ...waiting];
    for (const { outputs } of next) for (const port of outputs) given.add(port.type);
    ordered.push(...next);
    waiting = waiting.filter((one) => !next.includes(one));
  }
  return ordered;
}

/** Groups components by category, in the order in which categories come. */
export function byCategory(components: Iterable<Component>): [string, Component[]][] {
  const groups = new Map<string, Component[]>();
  for (const component of components) {
    groups.set(component.category, [...(groups.get(component.category) ?? []), component]);
  }
  return [...groups];
}
