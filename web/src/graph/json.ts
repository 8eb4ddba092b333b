/** JSON as values: what a pipeline file, a parameter and a stored history are made of. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** Whether two values are the same, whatever the order of keys. A key that is undefined is absent. */
export function isSame(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, at) => isSame(item, other[at]));
  }
  const left = one as JsonObject;
  const right = other as JsonObject;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => isSame(left[key], right[key]));
}

/** Returns the object with a key set, or without it when the value is undefined. */
export function withKey<T extends JsonObject>(object: T, key: string, value: Json | undefined): T {
  if (value !== undefined) return { ...object, [key]: value };
  const { [key]: _left, ...rest } = object;
  return rest as T;
}
