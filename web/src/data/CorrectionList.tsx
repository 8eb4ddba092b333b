/** The corrections that were made, and the way into a pipeline. */
import { ActionIcon, Button, Select } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Pictures, sendCorrections, thumbnailOf } from "../api/dataQuestions";
import type { ImagesInfo } from "../api/types";
import { Icon } from "../icons/Icon";
import { RequestFailure } from "../runs/FailureCard";
import { go } from "../shell/route";
import { type Correction, NO_CORRECTIONS, takeBack } from "./corrections";
import styles from "./data.module.css";
import { changeCorrections, useCorrections } from "./store";
import { UndoButtons } from "./UndoButtons";

const SHOWN = 200;

export function CorrectionList({ which, images }: { which: Pictures; images: ImagesInfo }) {
  const { t } = useTranslation();
  const history = useCorrections(which);
  const made = Object.values(history.now);
  return (
    <div className={styles.column}>
      <div className={styles.buttons}>
        <UndoButtons which={which} />
        <Button
          disabled={made.length === 0}
          onClick={() => changeCorrections(which, (now) => takeBack(now, Object.keys(now.now)))}
        >
          {t("corrections.takeAllBack")}
        </Button>
      </div>
      {made.length === 0 ? (
        <p className="quiet">{t("corrections.none")}</p>
      ) : (
        <UseInPipeline which={which} images={images} made={made} />
      )}
      {made.length > 0 && (
        <ul className={styles.corrections} aria-label={t("corrections.list")}>
          {made.slice(0, SHOWN).map((one) => (
            <Made key={one.file} which={which} one={one} />
          ))}
        </ul>
      )}
      {made.length > SHOWN && (
        <p className="quiet number">{t("corrections.moreRows", { shown: made.length - SHOWN })}</p>
      )}
    </div>
  );
}

function Made({ which, one }: { which: Pictures; one: Correction }) {
  const { t } = useTranslation();
  const label = t("corrections.takeBack", { file: one.file });
  return (
    <li>
      <img src={thumbnailOf(which, one.row, 96)} alt="" loading="lazy" />
      <span className={styles.fileName}>{one.file}</span>
      <span className="quiet">
        {t("corrections.from", { label: one.from ?? t("data.unlabelled") })}
      </span>
      <strong>
        {one.to === null ? t("corrections.excluded") : t("corrections.to", { label: one.to })}
      </strong>
      <ActionIcon
        aria-label={label}
        title={label}
        onClick={() => changeCorrections(which, (history) => takeBack(history, [one.file]))}
      >
        <Icon name="close" size={14} />
      </ActionIcon>
    </li>
  );
}

interface UseInPipelineProps {
  which: Pictures;
  images: ImagesInfo;
  made: readonly Correction[];
}

function UseInPipeline({ which, images, made }: UseInPipelineProps) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [draft, setDraft] = useState(images.drawings[0]?.id ?? "");
  const use = useMutation({
    mutationFn: () =>
      sendCorrections(
        which,
        made.map(({ file, sha256, to }) => ({ file, sha256, label: to })),
        draft,
      ),
    onSuccess: async ({ id }) => {
      changeCorrections(which, () => NO_CORRECTIONS);
      await queries.invalidateQueries({ queryKey: ["drafts"] });
      await queries.invalidateQueries({ queryKey: ["images"] });
      go({ view: "pipeline", id });
    },
  });
  return (
    <section className={styles.use}>
      <p className="quiet">{t("corrections.useHelp")}</p>
      <div className={styles.top}>
        <Select
          label={t("corrections.where")}
          data={[
            ...images.drawings.map(({ id, name, version }) => ({
              value: id,
              label: `${name} (${version})`,
            })),
            { value: "", label: t("corrections.newDrawing") },
          ]}
          value={draft}
          onChange={(value) => setDraft(value ?? "")}
          allowDeselect={false}
        />
        <Button variant="filled" loading={use.isPending} onClick={() => use.mutate()}>
          {t("corrections.use")}
        </Button>
      </div>
      {use.error && <RequestFailure problem={use.error} onAgain={() => use.mutate()} />}
    </section>
  );
}
