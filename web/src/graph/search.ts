/** Which components a few typed letters mean, the likeliest first. */
import type { Component } from "./catalogue";

/** Returns components in which every typed word stands, those whose title begins with it first. */
export function searched(components: Iterable<Component>, text: string): Component[] {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const ranked = [...components].flatMap((component) => {
    const title = component.title.toLowerCase();
    const all = [
      title,
      component.name,
      component.category.toLowerCase(),
      component.help.toLowerCase(),
    ];
    if (!wanted.every((word) => all.some((one) => one.includes(word)))) return [];
    const first = wanted[0] ?? "";
    const rank = title.startsWith(first) ? 0 : title.includes(first) ? 1 : 2;
    return [{ component, rank }];
  });
  return ranked.toSorted((one, other) => one.rank - other.rank).map((one) => one.component);
}

/** Groups components by category, in the order in which categories come. */
export function byCategory(components: Iterable<Component>): [string, Component[]][] {
  const groups = new Map<string, Component[]>();
  for (const component of components) {
    groups.set(component.category, [...(groups.get(component.category) ?? []), component]);
  }
  return [...groups];
}
