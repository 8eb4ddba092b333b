/** All of French, to be loaded at once when it is wanted. */
export { fr as page } from "./fr";
export { default as server } from "./server.fr.json";
