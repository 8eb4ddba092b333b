/** What many parts of the page need to know, asked once. */
import { useQuery } from "@tanstack/react-query";
import { type Catalogue, type Component, catalogueOf } from "../graph/catalogue";
import * as questions from "./questions";
import type { CatalogueInfo } from "./types";

const FOR_EVER = Number.POSITIVE_INFINITY;

function catalogueFrom(found: CatalogueInfo): Catalogue {
  return catalogueOf(found.components as Component[], found.port_types);
}

export function useCatalogue() {
  return useQuery({
    queryKey: ["components"],
    queryFn: questions.readCatalogue,
    staleTime: FOR_EVER,
    select: catalogueFrom,
  });
}

export const useTargets = () =>
  useQuery({ queryKey: ["targets"], queryFn: questions.readTargets, staleTime: 60_000 });

export const useTemplates = () =>
  useQuery({ queryKey: ["templates"], queryFn: questions.readTemplates, staleTime: FOR_EVER });

export const useDrafts = () =>
  useQuery({ queryKey: ["drafts"], queryFn: questions.readDrafts, staleTime: 0 });
