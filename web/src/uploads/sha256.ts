/** Returns the SHA-256 of a content in hexadecimal; browsers keep their own for pages over https. */
export async function sha256Of(content: ArrayBuffer): Promise<string> {
  const digest = crypto.subtle
    ? new Uint8Array(await crypto.subtle.digest("SHA-256", content))
    : (await import("@noble/hashes/sha2.js")).sha256(new Uint8Array(content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
