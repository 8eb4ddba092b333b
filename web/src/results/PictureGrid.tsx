/** The pictures of a cell, a class or all mistakes, a page at a time. */
import { Button, SegmentedControl } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { readPictures } from "../api/runQuestions";
import type { PictureRow } from "../api/types";
import { percent } from "../i18n/numbers";
import { RequestFailure } from "../runs/FailureCard";
import { PictureCard } from "./PictureCard";
import styles from "./results.module.css";

/** Which pictures: of one true class, one that was named, rightly or wrongly named ones. */
export interface Choice {
  label?: string;
  scored?: string;
  correct?: boolean;
}

interface PictureGridProps {
  run: string;
  node: string;
  choice: Choice;
  onChoice: (choice: Choice) => void;
  /** Opens why the model said so; absent where no model is known. */
  onOpen?: ((picture: PictureRow) => void) | undefined;
}

const PAGE = 48;

export function PictureGrid({ run, node, choice, onChoice, onOpen }: PictureGridProps) {
  const { t } = useTranslation();
  const [order, setOrder] = useState<"confidence" | "doubt">("confidence");
  const found = useInfiniteQuery({
    queryKey: ["pictures", run, node, choice, order],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) =>
      readPictures(run, node, { ...choice, order, offset: pageParam, limit: PAGE }, signal),
    getNextPageParam: (last, pages) =>
      pages.length * PAGE < last.total ? pages.length * PAGE : undefined,
  });
  const pictures = found.data?.pages.flatMap((page) => page.pictures) ?? [];
  const total = found.data?.pages[0]?.total ?? 0;
  const isMistakes = choice.correct === false && choice.label === undefined;
  return (
    <section className={styles.pictures} aria-live="polite">
      <header className={styles.top}>
        <h3>{titleOf(choice, t)}</h3>
        {found.isSuccess && (
          <span className="quiet number">{t("evaluation.images", { count: total })}</span>
        )}
        <SegmentedControl
          size="xs"
          value={order}
          onChange={(value) => setOrder(value as "confidence" | "doubt")}
          data={[
            { value: "confidence", label: t("evaluation.confident") },
            { value: "doubt", label: t("evaluation.doubtful") },
          ]}
        />
        {!isMistakes && (
          <Button onClick={() => onChoice({ correct: false })}>{t("evaluation.mistakes")}</Button>
        )}
      </header>
      {found.error && <RequestFailure problem={found.error} onAgain={() => void found.refetch()} />}
      {found.isSuccess && total === 0 && <p className="quiet">{t("evaluation.noMistakes")}</p>}
      <ul className={styles.grid}>
        {pictures.map((picture) => (
          <Picture
            key={picture.row}
            run={run}
            node={node}
            picture={picture}
            onOpen={onOpen && (() => onOpen(picture))}
          />
        ))}
      </ul>
      {found.hasNextPage && (
        <Button onClick={() => void found.fetchNextPage()} loading={found.isFetchingNextPage}>
          {t("evaluation.more")}
        </Button>
      )}
    </section>
  );
}

interface PictureProps {
  run: string;
  node: string;
  picture: PictureRow;
  onOpen?: (() => void) | undefined;
}

function Picture({ run, node, picture, onOpen }: PictureProps) {
  const { t } = useTranslation();
  return (
    <PictureCard run={run} node={node} row={picture.row} file={picture.file} onOpen={onOpen}>
      <span data-wrong={picture.correct === false || undefined}>
        {t("evaluation.saidWith", {
          label: picture.scored_label,
          probability: percent(picture.probability),
        })}
      </span>
      {picture.correct === false && picture.label !== null && (
        <span className="quiet">
          {t("evaluation.isWith", {
            label: picture.label,
            probability: percent(picture.label_probability ?? 0),
          })}
        </span>
      )}
    </PictureCard>
  );
}

function titleOf(choice: Choice, t: TFunction): string {
  const { label, scored, correct } = choice;
  if (label !== undefined && scored !== undefined) {
    return label === scored
      ? t("evaluation.right", { true: label })
      : t("evaluation.cell", { true: label, said: scored });
  }
  if (label !== undefined) return label;
  return correct === false ? t("evaluation.mistakes") : t("evaluation.all");
}
