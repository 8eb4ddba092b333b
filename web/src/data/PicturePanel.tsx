/** A picture large, its facts, and beside it what the network sees of it. */
import { Button, Loader } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Pictures, thumbnailOf } from "../api/dataQuestions";
import type { ListedPicture } from "../api/types";
import { sizeText } from "../i18n/when";
import { Icon } from "../icons/Icon";
import { RequestFailure } from "../runs/FailureCard";
import factsStyles from "../runs/facts.module.css";
import styles from "./data.module.css";
import { useSeen } from "./queries";

export function PicturePanel({ which, picture }: { which: Pictures; picture: ListedPicture }) {
  const { t } = useTranslation();
  return (
    <section className={styles.picture} aria-label={t("picture.title")}>
      <img
        className={styles.large}
        src={thumbnailOf(which, picture.row, 480)}
        alt={picture.file}
        key={picture.row}
      />
      <dl className={factsStyles.facts}>
        <div>
          <dt>{t("picture.file")}</dt>
          <dd>{picture.file}</dd>
        </div>
        <div>
          <dt>{t("picture.class")}</dt>
          <dd>{picture.label ?? t("data.unlabelled")}</dd>
        </div>
        <div>
          <dt>{t("picture.size")}</dt>
          <dd className="number">
            {t("picture.pixels", { width: picture.width, height: picture.height })}
            {`, ${picture.format}, ${sizeText(picture.size_bytes)}`}
          </dd>
        </div>
      </dl>
      <Seen which={which} row={picture.row} />
    </section>
  );
}

function Seen({ which, row }: { which: Pictures; row: number }) {
  const { t } = useTranslation();
  const [seed, setSeed] = useState(1);
  const found = useSeen(which, row, seed);
  const seen = found.data;
  const help = seen?.purpose === "inference" ? t("picture.seenInference") : t("picture.seenHelp");
  return (
    <section className={styles.seen} aria-label={t("picture.seen")}>
      <header className={styles.top}>
        <h3>{t("picture.seen")}</h3>
        {seen?.is_random !== false && (
          <Button
            leftSection={<Icon name="refresh" size={14} />}
            loading={found.isFetching && seen !== undefined}
            disabled={!seen}
            onClick={() => setSeed(seed + 1)}
          >
            {t("picture.again")}
          </Button>
        )}
      </header>
      {found.isPending && (
        <p className="quiet">
          <Loader size="xs" /> {t("picture.looking")}
        </p>
      )}
      {found.error && <RequestFailure problem={found.error} onAgain={() => void found.refetch()} />}
      {seen && (
        <>
          <img
            className={styles.large}
            src={seen.picture}
            alt={t("picture.seen")}
            data-seed={found.isPlaceholderData ? undefined : seed}
          />
          <p className="quiet">
            {help} {seen.is_default && t("picture.seenDefault")}{" "}
            {!seen.is_random && t("picture.fixed")}
          </p>
          <Operations operations={seen.operations} />
        </>
      )}
    </section>
  );
}

/** Operations as their records have them (docs/reference/transforms.md). */
export function Operations({ operations }: { operations: readonly Record<string, unknown>[] }) {
  return (
    <ol className={styles.operations}>
      {operations.map(({ kind, ...values }, place) => (
        <li key={place}>
          {String(kind).replaceAll("_", " ")}{" "}
          <span className="quiet number">
            {Object.entries(values)
              .map(([name, value]) => `${name.replaceAll("_", " ")} ${JSON.stringify(value)}`)
              .join(", ")}
          </span>
        </li>
      ))}
    </ol>
  );
}
