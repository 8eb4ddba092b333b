/** The wall of pictures with its filters, and what is done with those that are chosen. */
import { Select } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Pictures } from "../api/dataQuestions";
import type { ImagesInfo, ListedPicture, SetKind } from "../api/types";
import { RequestFailure } from "../runs/FailureCard";
import { ChosenPictures } from "./ChosenPictures";
import { ClassFilter } from "./ClassFilter";
import { correct, MOST_CORRECTIONS, redo, takeBack, undo } from "./corrections";
import styles from "./data.module.css";
import { PicturePanel } from "./PicturePanel";
import { PictureWall } from "./PictureWall";
import { type Filter, PAGE, pageQuestion, usePages, useTotal } from "./queries";
import { NOTHING, type Selection } from "./selection";
import { changeCorrections } from "./store";

interface PicturesViewProps {
  which: Pictures;
  images: ImagesInfo;
  onCorrections: () => void;
}

const KINDS: readonly SetKind[] = ["contradiction", "equal", "similar"];

export function PicturesView({ which, images, onCorrections }: PicturesViewProps) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [label, setLabel] = useState<string | undefined>();
  const [problem, setProblem] = useState<SetKind | undefined>();
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [isAdding, setAdding] = useState(false);
  const filter = useMemo<Filter>(() => ({ label, problem, against: undefined }), [label, problem]);
  const found = useTotal(which, filter);
  const { pictures } = usePages(which, filter, pageOf(selection.active));
  const active = pictures.get(selection.active);

  const filterBy = (change: () => void) => {
    change();
    setSelection(NOTHING);
  };
  /** Of pictures that were chosen by a range, some may never have been in view. */
  const chosen = async () => {
    const places = [...selection.chosen].sort((a, b) => a - b);
    const pages = [...new Set(places.map((place) => Math.floor(place / PAGE)))];
    const read = await Promise.all(
      pages.map((page) => queries.fetchQuery(pageQuestion(which, filter, page))),
    );
    const byPage = new Map(pages.map((page, index) => [page, read[index]]));
    return places.flatMap((place): ListedPicture[] => {
      const picture = byPage.get(Math.floor(place / PAGE))?.pictures[place % PAGE];
      return picture ? [picture] : [];
    });
  };
  const correctTo = async (to: string | null) => {
    const all = await chosen();
    changeCorrections(which, (history) => correct(history, all, to));
  };
  const keepAsItIs = async () => {
    const files = (await chosen()).map((picture) => picture.file);
    changeCorrections(which, (history) => takeBack(history, files));
  };
  return (
    <div className={styles.pictures}>
      <aside className={styles.filters} aria-label={t("data.filter")}>
        <ClassFilter
          classes={images.classes}
          chosen={label}
          onChoose={(next) => filterBy(() => setLabel(next))}
        />
        <Select
          label={t("data.problem")}
          placeholder={t("data.anyProblem")}
          data={KINDS.map((kind) => ({ value: kind, label: t(`data.kinds.${kind}`) }))}
          value={problem ?? null}
          clearable
          onChange={(next) => filterBy(() => setProblem((next as SetKind | null) ?? undefined))}
        />
      </aside>
      <div className={styles.middle}>
        {found.error && (
          <>
            {problem && <p className="quiet">{t("data.problemNeedsSearch")}</p>}
            <RequestFailure problem={found.error} onAgain={() => void found.refetch()} />
          </>
        )}
        {found.data && !found.error && found.data.total === 0 && (
          <p className="quiet">{t("data.none")}</p>
        )}
        {found.data && !found.error && found.data.total > 0 && (
          <PictureWall
            key={`${label} ${problem}`}
            which={which}
            filter={filter}
            total={found.data.total}
            selection={selection}
            isAdding={isAdding}
            most={MOST_CORRECTIONS}
            onSelect={setSelection}
            onExclude={() => void correctTo(null)}
            onUndo={() => changeCorrections(which, undo)}
            onRedo={() => changeCorrections(which, redo)}
          />
        )}
      </div>
      <aside className={styles.side}>
        <ChosenPictures
          which={which}
          classes={images.classes}
          count={selection.chosen.size}
          isAdding={isAdding}
          onAdding={setAdding}
          onCorrect={(to) => void correctTo(to)}
          onKeep={() => void keepAsItIs()}
          onClear={() => setSelection(NOTHING)}
          onCorrections={onCorrections}
        />
        {active ? (
          <PicturePanel key={active.row} which={which} picture={active} />
        ) : (
          <p className="quiet">{t("picture.choose")}</p>
        )}
      </aside>
    </div>
  );
}

function pageOf(place: number): number[] {
  return place < 0 ? [] : [Math.floor(place / PAGE)];
}
