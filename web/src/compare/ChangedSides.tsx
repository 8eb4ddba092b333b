/** Pictures that one of two evaluations has right and the other wrong, with what each said. */
import { Button, SegmentedControl, Select } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type ChangedQuery, readChanged } from "../api/explainQuestions";
import type { ChangedPictures, EvaluationFigures } from "../api/types";
import { percent } from "../i18n/numbers";
import { PictureCard } from "../results/PictureCard";
import results from "../results/results.module.css";
import { RequestFailure } from "../runs/FailureCard";
import styles from "./compare.module.css";

interface ChangedSidesProps {
  figures: readonly EvaluationFigures[];
  names: ReadonlyMap<string, string>;
}

type Side = ChangedQuery["side"];
const PAGE = 48;
const keyOf = (one: EvaluationFigures) => `${one.run}/${one.node}`;

export function ChangedSides({ figures, names }: ChangedSidesProps) {
  const { t } = useTranslation();
  const places = [...new Map(figures.map((one) => [keyOf(one), one])).values()];
  const [left, setLeft] = useState(places[0] ? keyOf(places[0]) : "");
  const last = places[places.length - 1];
  const [right, setRight] = useState(last ? keyOf(last) : "");
  const [first, second] = [left, right].map((key) => places.find((one) => keyOf(one) === key));
  if (places.length < 2 || !first || !second) {
    return <p className="quiet">{t("compare.changedNone")}</p>;
  }
  const choices = places.map((one) => ({
    value: keyOf(one),
    label: `${names.get(one.run) ?? one.run}, ${one.node}`,
  }));
  return (
    <>
      <div className={styles.choices}>
        <Select
          label={t("compare.from")}
          data={choices}
          value={left}
          onChange={(value) => setLeft(value ?? left)}
          allowDeselect={false}
        />
        <Select
          label={t("compare.to")}
          data={choices}
          value={right}
          onChange={(value) => setRight(value ?? right)}
          allowDeselect={false}
        />
      </div>
      <Pictures first={first} second={second} />
    </>
  );
}

function Pictures({ first, second }: { first: EvaluationFigures; second: EvaluationFigures }) {
  const { t } = useTranslation();
  const [side, setSide] = useState<Side>("both");
  const query = {
    left: first.run,
    left_node: first.node,
    right: second.run,
    right_node: second.node,
    side,
  };
  const found = useInfiniteQuery({
    queryKey: ["changed", query],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) =>
      readChanged({ ...query, offset: pageParam, limit: PAGE }, signal),
    getNextPageParam: (last, pages) =>
      pages.length * PAGE < last.total ? pages.length * PAGE : undefined,
  });
  if (found.error)
    return <RequestFailure problem={found.error} onAgain={() => void found.refetch()} />;
  const counts = found.data?.pages[0];
  if (!counts) return null;
  const pictures = found.data?.pages.flatMap((page) => page.pictures) ?? [];
  return (
    <>
      <Counts counts={counts} />
      <SegmentedControl
        size="xs"
        value={side}
        onChange={(value) => setSide(value as Side)}
        data={[
          { value: "both", label: t("compare.both") },
          { value: "won", label: t("compare.won", { count: counts.won }) },
          { value: "lost", label: t("compare.lost", { count: counts.lost }) },
        ]}
      />
      {pictures.length === 0 && <p className="quiet">{t("compare.noneOfThem")}</p>}
      <ul className={results.grid} aria-label={t("compare.changed")}>
        {pictures.map(({ left, right }) => (
          <PictureCard
            key={right.row}
            run={second.run}
            node={second.node}
            row={right.row}
            file={right.file}
          >
            <span>{t("compare.isLabel", { label: right.label })}</span>
            <span data-wrong={left.correct === false || undefined}>
              {t("compare.was", { label: left.scored_label, value: percent(left.probability) })}
            </span>
            <span data-wrong={right.correct === false || undefined}>
              {t("compare.now", { label: right.scored_label, value: percent(right.probability) })}
            </span>
          </PictureCard>
        ))}
      </ul>
      {found.hasNextPage && (
        <Button onClick={() => void found.fetchNextPage()} loading={found.isFetchingNextPage}>
          {t("compare.more")}
        </Button>
      )}
    </>
  );
}

function Counts({ counts }: { counts: ChangedPictures }) {
  const { t } = useTranslation();
  const { only_left, only_right } = counts;
  return (
    <p className="number">
      {t("compare.same", { right: counts.both_right, wrong: counts.neither })}
      {only_left + only_right > 0 &&
        ` ${t("compare.notJoined", { left: only_left, right: only_right })}`}
      {counts.relabelled > 0 && ` ${t("compare.relabelled", { count: counts.relabelled })}`}
    </p>
  );
}
