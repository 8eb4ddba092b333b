/** What every node of a canvas needs beside its own node: what components are, and whether one may draw. */
import { createContext, useContext } from "react";
import { type Catalogue, catalogueOf } from "../graph/catalogue";

export interface Surroundings {
  readonly catalogue: Catalogue;
  readonly isReadOnly: boolean;
}

const Context = createContext<Surroundings>({ catalogue: catalogueOf([], []), isReadOnly: true });

export const SurroundingsProvider = Context.Provider;

export function useSurroundings(): Surroundings {
  return useContext(Context);
}
