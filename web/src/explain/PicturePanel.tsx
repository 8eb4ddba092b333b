/** Why a model names what it names in a picture: its guesses, where it looks, and what it has seen alike. */
import { Drawer, Loader, Select } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type PictureKey, readExplanation } from "../api/explainQuestions";
import { RequestFailure } from "../runs/FailureCard";
import { AlikePictures } from "./AlikePictures";
import styles from "./explain.module.css";
import { GuessBars } from "./GuessBars";
import { HeatMap } from "./HeatMap";

/** A picture that is explained. */
export interface Explained {
  picture: PictureKey;
  file: string;
  /** The true class, where it is known. */
  label: string | null;
}

interface PicturePanelProps {
  run: string;
  node: string;
  explained: Explained;
  classes: readonly string[];
  knowsTraining: boolean;
  onClose: () => void;
}

const MOST_CHOICES = 200;

export function PicturePanel(props: PicturePanelProps) {
  const { t } = useTranslation();
  const { explained, onClose } = props;
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="30rem"
      title={t("explain.title")}
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <p className={`quiet ${styles.file}`}>{explained.file}</p>
      <Body {...props} />
    </Drawer>
  );
}

function Body({ run, node, explained, classes, knowsTraining }: PicturePanelProps) {
  const { t } = useTranslation();
  const [ofClass, setOfClass] = useState<string | null>(null);
  const { picture, label } = explained;
  const found = useQuery({
    queryKey: ["explanation", run, node, picture, ofClass],
    queryFn: ({ signal }) => readExplanation(run, node, picture, ofClass, signal),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (found.error)
    return <RequestFailure problem={found.error} onAgain={() => void found.refetch()} />;
  if (!found.data) return <Loader size="sm" aria-label={t("loading")} />;
  const choices = choicesOf(found.data.guesses, label, classes);
  return (
    <div className={styles.panel}>
      <section>
        <h3>{t("explain.guesses")}</h3>
        <GuessBars guesses={found.data.guesses} label={label} />
      </section>
      <section>
        <h3>{t("explain.look", { label: found.data.explained })}</h3>
        <HeatMap explanation={found.data} isBusy={found.isFetching} />
        <Select
          label={t("explain.forClass")}
          data={choices}
          value={found.data.explained}
          onChange={setOfClass}
          searchable={choices.length > 10}
          allowDeselect={false}
          limit={MOST_CHOICES}
        />
      </section>
      {knowsTraining ? (
        <AlikePictures run={run} node={node} picture={picture} />
      ) : (
        <p className="quiet">{t("explain.noTraining")}</p>
      )}
    </div>
  );
}

/** The classes to look for: the guesses first, then the label, then all others. */
function choicesOf(
  guesses: readonly { label: string }[],
  label: string | null,
  classes: readonly string[],
): string[] {
  const first = [...guesses.map((one) => one.label), ...(label === null ? [] : [label])];
  return [...new Set([...first, ...classes])];
}
