/** What many parts of the page need to know, asked once. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { type Catalogue, type Component, catalogueOf } from "../graph/catalogue";
import { translated } from "../i18n/fromServer";
import { templateIn } from "../i18n/templates";
import * as questions from "./questions";
import type { CatalogueInfo, TargetInfo, Template, Whose } from "./types";

/** How long an answer is kept when a newer one has taken its place: while a training runs, seconds make many. */
export const OVERTAKEN_MS = 10_000;

const FOR_EVER = Number.POSITIVE_INFINITY;

function catalogueFrom(found: CatalogueInfo): Catalogue {
  const { components, port_types } = translated(found);
  return catalogueOf(components as Component[], port_types);
}

/** Returns the function anew when the page speaks another language, so that what it made is made anew. */
function useInLanguage<From, To>(make: (found: From) => To): (found: From) => To {
  const { language } = useTranslation().i18n;
  return useCallback((found: From) => make(found), [language, make]);
}

const templatesIn = (found: Template[]) => found.map(templateIn);

export function useCatalogue() {
  return useQuery({
    queryKey: ["components"],
    queryFn: questions.readCatalogue,
    staleTime: FOR_EVER,
    select: useInLanguage(catalogueFrom),
  });
}

export const useTargets = () =>
  useQuery({
    queryKey: ["targets"],
    queryFn: questions.readTargets,
    staleTime: 60_000,
    select: useInLanguage(translated<TargetInfo[]>),
  });

export const useTemplates = () =>
  useQuery({
    queryKey: ["templates"],
    queryFn: questions.readTemplates,
    staleTime: FOR_EVER,
    select: useInLanguage(templatesIn),
  });

export const useDrafts = (whose: Whose) =>
  useQuery({
    queryKey: ["drafts", whose],
    queryFn: () => questions.readDrafts(whose),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
